/** The keys people know from other players. What each does is looked up here, and nowhere else. */

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];
const PICTURE_S = 1 / 25;

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
 * @param {HTMLElement} screen holds the player
 * @param {object} does
 * @param {(sentence: string) => void} does.say shows what a key did where the picture does not
 * @param {() => string} does.toggleCaptions returns what is the case then
 * @param {() => unknown} does.toggleFullscreen
 */
export function listen(video, screen, { say, toggleCaptions, toggleFullscreen }) {
  const seek = (to) => {
    if (Number.isFinite(video.duration)) video.currentTime = clamp(to, video.duration);
  };
  const turn = (by) => {
    video.muted = false;
    video.volume = clamp(Math.round((video.volume + by) * 20) / 20, 1);
    say(`Volume ${Math.round(video.volume * 100)} %`);
  };
  const pace = (direction) => {
    video.playbackRate = nextSpeed(video.playbackRate, direction);
    say(`Speed ${video.playbackRate}`);
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
      say(video.muted ? "Muted" : "Sound on");
    },
    f: toggleFullscreen,
    i: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : enterPicture(video)),
    c: () => say(toggleCaptions()),
    "<": () => pace(-1),
    ">": () => pace(1),
    ",": () => step(-PICTURE_S),
    ".": () => step(PICTURE_S),
  };
  // Buttons, sliders and menus inside the player answer some of these themselves: see `keepsForItself`.
  const shared = {
    " ": actions.k,
    ArrowLeft: () => seek(video.currentTime - 5),
    ArrowRight: () => seek(video.currentTime + 5),
    ArrowUp: () => turn(0.05),
    ArrowDown: () => turn(-0.05),
  };

  const answer = (event) => {
    const focus = document.activeElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (focus !== document.body && !screen.contains(focus)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (keepsForItself(focus, key)) return;
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

function enterPicture(video) {
  return document.pictureInPictureEnabled ? video.requestPictureInPicture() : undefined;
}

/** Whether what has focus does something of its own with a key. */
function keepsForItself(focus, key) {
  if (focus === document.body) return false;
  // What has focus inside the browser's own player is hidden from us, but then that is not ":focus".
  if (!focus.matches(":focus")) return key === " " || key.startsWith("Arrow");
  if (focus.closest(".choices")) return key === " " || key.startsWith("Arrow");
  if (focus.matches("button")) return key === " ";
  return focus.matches('input[data-plyr="volume"]') && key.startsWith("Arrow");
}
