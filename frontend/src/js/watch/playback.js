/** Playing the video, before there is a control bar. */
import { t } from "../i18n.js";
import { describePlayerError } from "./player-errors.js";
import { applyPreferences } from "./preferences.js";
import { keepPosition, startOf } from "./resume.js";
import { makeSource } from "./source.js";

/** In `sessionStorage`: the page that opens next plays at once, because the one before led to it. */
const PLAY_KEY = "matinee.play";

/** A wait that is shorter than this shows no spinner. */
const WAIT_MS = 300;

/** Let the video of the next page play at once. */
export function playOnNextPage() {
  try {
    sessionStorage.setItem(PLAY_KEY, "1");
  } catch {
    // Storage is switched off: the viewer presses play.
  }
}

/**
 * @param {HTMLElement} container holds the video element; its data attributes say what the video has
 * @param {HTMLVideoElement} video
 * @param {object} page
 * @param {object} page.message of `message.js`
 * @param {(sentence: string | null) => void} page.showError shows an error; null removes it
 * @returns {{source: object, ready: Promise<void>, endFirstPlay: () => void,
 *   onChange: (listener: () => void) => void}}
 *   `ready` once there is a picture or an error, so that other scripts no longer delay it; `endFirstPlay` when
 *   there are other controls
 */
export function startPlayback(container, video, { message, showError }) {
  const { codec = "", master, position, remember, length } = container.dataset;
  const start = startOf(location, { position: Number(position ?? 0), length: Number(length ?? 0) });
  const listeners = [];
  let fail;
  const failed = new Promise((resolve) => {
    fail = resolve;
  });
  const ready = Promise.race([
    failed,
    master
      ? new Promise((resolve) => video.addEventListener("loadeddata", resolve, { once: true }))
      : Promise.resolve(),
  ]);
  const source = makeSource(video, {
    start,
    codec,
    master,
    changed() {
      for (const listener of listeners) listener();
    },
    onSwitch: (label) => {
      if (label === null) message.clear();
      else message.hold(t("Switching to {quality}…", { quality: label }));
    },
    onError(problem) {
      showError(describePlayerError({ decoding: false, ...problem, codec }));
      fail();
    },
    onRecovered: () => showError(null),
  });
  applyPreferences(video);
  showWaiting(container, video);
  const endFirstPlay = offerFirstPlay(video);
  source.begin();
  document.addEventListener("matinee:renditions", ({ detail }) => {
    source.offer(detail.master, detail.heights);
  });
  if (remember) keepPosition(video, remember);
  if (start > 0) message.sayResumed(start, () => begin(video));
  warnWithoutVideo(video, codec, showError);
  if (takePlayKey()) video.play().catch(() => {}); // not allowed to: the viewer presses play
  return { source, ready, endFirstPlay, onChange: (listener) => listeners.push(listener) };
}

function begin(video) {
  video.currentTime = 0;
}

/**
 * A large button, and the keys that play, until there is a control bar.
 * @returns {() => void} takes them away
 */
function offerFirstPlay(video) {
  const button = document.getElementById("first-play");
  const ended = new AbortController();
  const { signal } = ended;
  const toggle = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  video.controls = false;
  button.hidden = !video.paused;
  button.addEventListener("click", toggle);
  for (const event of ["play", "pause"]) {
    video.addEventListener(
      event,
      () => {
        button.hidden = event === "play";
      },
      { signal },
    );
  }
  const answer = (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!plain || document.activeElement !== document.body || ![" ", "k"].includes(event.key)) return;
    event.preventDefault();
    toggle();
  };
  document.addEventListener("keydown", answer, { signal });
  return () => {
    ended.abort();
    button.remove();
  };
}

/** Turn a circle while the video waits for bytes. */
function showWaiting(container, video) {
  let timer;
  const update = () => {
    clearTimeout(timer);
    const waits = () => !video.paused && !video.error && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!waits()) container.classList.remove("is-waiting");
    else timer = setTimeout(() => container.classList.toggle("is-waiting", waits()), WAIT_MS);
  };
  for (const event of ["play", "playing", "waiting", "canplay", "pause", "error", "ended", "timeupdate"]) {
    video.addEventListener(event, update);
  }
}

function takePlayKey() {
  try {
    const found = sessionStorage.getItem(PLAY_KEY) !== null;
    sessionStorage.removeItem(PLAY_KEY);
    return found;
  } catch {
    return false;
  }
}

function warnWithoutVideo(video, codec, showError) {
  video.addEventListener("loadedmetadata", () => {
    if (video.videoWidth > 0 || !codec) return;
    const reason = describePlayerError({ status: 200, decoding: false, codec });
    showError(t("Only the audio plays. {reason}", { reason }));
  });
}
