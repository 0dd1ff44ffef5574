/** Volume, speed, captions, theatre mode and autoplay are remembered in this browser. */

const KEY = "matinee.player";

/**
 * Parse stored preferences, leaving out invalid values.
 * @param {string | null} text
 * @returns {{volume?: number, muted?: boolean, speed?: number, captions?: boolean, language?: string,
 *   theatre?: boolean, autoplay?: boolean}}
 */
export function parsePreferences(text) {
  let stored;
  try {
    stored = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const preferences = {};
  if (stored?.volume >= 0 && stored.volume <= 1) preferences.volume = Number(stored.volume);
  for (const name of ["muted", "captions", "theatre", "autoplay"]) {
    if (typeof stored?.[name] === "boolean") preferences[name] = stored[name];
  }
  if (stored?.speed >= 0.25 && stored.speed <= 2) preferences.speed = Number(stored.speed);
  if (/^[a-z0-9-]{1,64}$/i.test(stored?.language ?? "")) preferences.language = stored.language;
  return preferences;
}

/** The stored preferences. */
export const readPreferences = () => parsePreferences(read());

/** @param {object} changes some of the properties that `parsePreferences` returns */
export function savePreferences(changes) {
  write({ ...readPreferences(), ...changes });
}

/** @param {HTMLVideoElement} video */
export function applyPreferences(video) {
  const { volume, muted, speed } = readPreferences();
  if (volume !== undefined) video.volume = volume;
  if (muted !== undefined) video.muted = muted;
  if (speed !== undefined) {
    // The default too: loading a source resets the rate to it.
    video.defaultPlaybackRate = speed;
    video.playbackRate = speed;
  }
  video.addEventListener("volumechange", () => savePreferences({ volume: video.volume, muted: video.muted }));
  video.addEventListener("ratechange", () => {
    // A new source starts at the default rate.
    video.defaultPlaybackRate = video.playbackRate;
    savePreferences({ speed: video.playbackRate });
  });
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

function write(preferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Storage is full or switched off: nothing is remembered.
  }
}
