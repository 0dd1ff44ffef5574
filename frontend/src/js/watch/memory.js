/** Volume and speed stay as they were left, in this browser. */

const KEY = "matinee.player";

/**
 * What is stored, if it makes sense; a stranger may have written it.
 * @param {string | null} text
 * @returns {{volume?: number, muted?: boolean, speed?: number}}
 */
export function parseMemory(text) {
  let stored;
  try {
    stored = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const memory = {};
  if (stored?.volume >= 0 && stored.volume <= 1) memory.volume = Number(stored.volume);
  if (typeof stored?.muted === "boolean") memory.muted = stored.muted;
  if (stored?.speed >= 0.25 && stored.speed <= 2) memory.speed = Number(stored.speed);
  return memory;
}

/** @param {HTMLVideoElement} video */
export function remember(video) {
  const { volume, muted, speed } = parseMemory(read());
  if (volume !== undefined) video.volume = volume;
  if (muted !== undefined) video.muted = muted;
  if (speed !== undefined) {
    // The default too: loading a source sets the rate back to it.
    video.defaultPlaybackRate = speed;
    video.playbackRate = speed;
  }
  const keep = () => write({ volume: video.volume, muted: video.muted, speed: video.playbackRate });
  video.addEventListener("volumechange", keep);
  video.addEventListener("ratechange", keep);
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

function write(memory) {
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
  } catch {
    // Storage is full or switched off: nothing is remembered.
  }
}
