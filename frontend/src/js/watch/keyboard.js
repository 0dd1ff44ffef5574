/** Keyboard shortcuts, the same as in other players. */
import { t } from "../i18n.js";

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const FRAME_S = 1 / 25;
const TEXT_FIELDS = "input:not([type=range], [type=button], [type=submit]), textarea, select";

/**
 * The next speed up or down; from a speed that is not in the list, the nearest in that direction.
 * @param {number} speed
 * @param {1 | -1} direction
 */
export function nextSpeed(speed, direction) {
  const beyond = SPEEDS.filter((other) => (direction > 0 ? other > speed : other < speed));
  return (direction > 0 ? beyond[0] : beyond.at(-1)) ?? speed;
}

/** @param {number} value @param {number} most */
export function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

/**
 * @param {HTMLVideoElement} video
 * @param {object} does
 * @param {(sentence: string) => void} does.say shows what a key did
 * @param {() => void} does.showShortcuts opens the list of shortcuts
 * @param {() => string} does.toggleCaptions returns the new state in words
 * @param {() => unknown} does.toggleFullscreen
 * @param {() => unknown} does.toggleTheatre
 */
export function listenForShortcuts(
  video,
  { say, showShortcuts, toggleCaptions, toggleFullscreen, toggleTheatre },
) {
  const seek = (to) => {
    if (Number.isFinite(video.duration)) video.currentTime = clamp(to, video.duration);
  };
  const changeVolume = (by) => {
    video.muted = false;
    video.volume = clamp(Math.round((video.volume + by) * 20) / 20, 1);
    say(t("Volume {percent} %", { percent: Math.round(video.volume * 100) }));
  };
  const changeSpeed = (direction) => {
    video.playbackRate = nextSpeed(video.playbackRate, direction);
    say(t("Speed {speed}", { speed: video.playbackRate }));
  };
  const step = (by) => {
    if (video.paused) seek(video.currentTime + by);
  };
  const actions = {
    k: () => (video.paused ? video.play() : video.pause()),
    j: () => seek(video.currentTime - 10),
    l: () => seek(video.currentTime + 10),
    m: () => {
      video.muted = !video.muted;
      say(video.muted ? t("Muted") : t("Unmuted"));
    },
    f: toggleFullscreen,
    t: toggleTheatre,
    i: () =>
      document.pictureInPictureElement ? document.exitPictureInPicture() : enterPictureInPicture(video),
    c: () => say(toggleCaptions()),
    "?": showShortcuts,
    "<": () => changeSpeed(-1),
    ">": () => changeSpeed(1),
    ",": () => step(-FRAME_S),
    ".": () => step(FRAME_S),
  };
  // Buttons, sliders and menus use some of these themselves: see `usesKey`.
  const shared = {
    " ": actions.k,
    ArrowLeft: () => seek(video.currentTime - 5),
    ArrowRight: () => seek(video.currentTime + 5),
    ArrowUp: () => changeVolume(0.05),
    ArrowDown: () => changeVolume(-0.05),
  };

  const answer = (event) => {
    const focus = document.activeElement ?? document.body;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (usesKey(focus, key)) return;
    const action = /^\d$/.test(key)
      ? () => seek((video.duration * Number(key)) / 10)
      : (actions[key] ?? shared[key]);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    Promise.resolve(action()).catch(() => {
      // Refused by the browser, for instance full screen inside a frame: nothing changes.
    });
  };
  // On the way down, or the browser's own player answers the same key as well.
  document.addEventListener("keydown", answer, { capture: true });
}

function enterPictureInPicture(video) {
  return document.pictureInPictureEnabled ? video.requestPictureInPicture() : undefined;
}

/** Whether the focused element does something of its own with a key. */
function usesKey(focus, key) {
  if (focus === document.body) return false;
  if (focus.isContentEditable || focus.matches(TEXT_FIELDS)) return true;
  // What has focus inside the browser's own player is hidden from us, but then that is not ":focus".
  if (!focus.matches(":focus")) return key === " " || key.startsWith("Arrow");
  if (focus.closest(".settings-panel")) return key === " " || key.startsWith("Arrow");
  if (focus.matches("button, summary")) return key === " ";
  if (focus.matches("pre")) return key.startsWith("Arrow"); // scrolls
  return focus.matches('input[data-plyr="volume"]') && key.startsWith("Arrow");
}
