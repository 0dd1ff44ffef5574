/** How fast the line is, before the first segment of a video has been loaded. */

const KEY = "matinee.line";

/** An estimate that is older than this is not used: the device may be in another network. */
const FRESH_MS = 10 * 60_000;

/** Smaller files arrive with the first packets, and say nothing. */
const LEAST_BYTES = 50_000;

/**
 * The speed at which files of this page have arrived.
 * @param {{transferSize: number, responseStart: number, responseEnd: number}[]} resources (Resource Timing)
 * @returns {number | null} bits per second; null if none came over the network, or only small ones
 */
export function measuredSpeed(resources) {
  const speeds = resources
    .filter(({ transferSize }) => transferSize >= LEAST_BYTES)
    .map(
      ({ transferSize, responseStart, responseEnd }) =>
        (8000 * transferSize) / Math.max(1, responseEnd - responseStart),
    );
  return speeds.length > 0 ? Math.min(...speeds) : null;
}

/**
 * How long a segment takes to arrive.
 * @param {number} bitrate of the rendition, bits per second
 * @param {number} length of the segment in seconds
 * @param {number} speed of the line, bits per second
 * @returns {number} seconds
 */
export function secondsToLoad(bitrate, length, speed) {
  return (bitrate * length) / speed;
}

/**
 * Parse a stored estimate.
 * @param {string | null} text
 * @param {number} now milliseconds since 1970
 * @returns {number | null} bits per second; null if it is missing, invalid or old
 */
export function parseEstimate(text, now) {
  try {
    const { speed, when } = JSON.parse(text ?? "null") ?? {};
    return speed > 0 && Number.isFinite(speed) && now - when < FRESH_MS ? speed : null;
  } catch {
    return null;
  }
}

/**
 * Bits per second to begin with; null: not known. It is a part of the measured speed, so that the first segment,
 * which lasts about four seconds, arrives in one.
 */
export function startEstimate() {
  if (navigator.connection?.saveData) return null;
  const speed = measuredSpeed(performance.getEntriesByType("resource")) ?? parseEstimate(read(), Date.now());
  return speed && speed / 4;
}

/** Remember an estimate for the next video in this tab. */
export function keepEstimate(speed) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ speed: Math.round(speed), when: Date.now() }));
  } catch {
    // Storage is full or switched off: nothing is remembered.
  }
}

function read() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
