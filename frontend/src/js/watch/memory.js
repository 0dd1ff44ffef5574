/** Volume, speed and captions stay as they were left, in this browser. */

const KEY = "matinee.player";

/**
 * What is stored, if it makes sense; a stranger may have written it.
 * @param {string | null} text
 * @returns {{volume?: number, muted?: boolean, speed?: number, captions?: boolean, language?: string}}
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
  if (typeof stored?.captions === "boolean") memory.captions = stored.captions;
  if (/^[a-z0-9-]{1,64}$/i.test(stored?.language ?? "")) memory.language = stored.language;
  return memory;
}

/** What is remembered now. */
export const recall = () => parseMemory(read());

/** @param {object} news some of what `parseMemory` gives */
export function keep(news) {
  write({ ...recall(), ...news });
}

/** @param {HTMLVideoElement} video */
export function remember(video) {
  const { volume, muted, speed } = recall();
  if (volume !== undefined) video.volume = volume;
  if (muted !== undefined) video.muted = muted;
  if (speed !== undefined) {
    // The default too: loading a source sets the rate back to it.
    video.defaultPlaybackRate = speed;
    video.playbackRate = speed;
  }
  video.addEventListener("volumechange", () => keep({ volume: video.volume, muted: video.muted }));
  video.addEventListener("ratechange", () => {
    // Another source begins at the default; it must not be a slower one.
    video.defaultPlaybackRate = video.playbackRate;
    keep({ speed: video.playbackRate });
  });
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
