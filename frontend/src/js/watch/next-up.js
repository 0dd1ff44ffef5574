/** After the end of a video the next one opens by itself, unless that is switched off or stopped. */
import { playOnNextPage } from "./playback.js";
import { readPreferences, savePreferences } from "./preferences.js";

const WAIT_S = 5; // to say no

/**
 * Count down seconds.
 * @param {number} seconds
 * @param {(left: number) => void} tell at the start and after each second
 * @param {() => void} end when none is left
 * @returns {() => void} stops it
 */
export function countDown(seconds, tell, end) {
  let timer;
  function step(left) {
    if (left === 0) return end();
    tell(left);
    timer = setTimeout(() => step(left - 1), 1000);
  }
  step(seconds);
  return () => clearTimeout(timer);
}

/**
 * @param {HTMLElement} container of the player
 * @param {HTMLVideoElement} video
 */
export function enableNext(container, video) {
  const message = document.getElementById("next-message");
  const autoplay = enableSwitch();
  if (!message) return;
  const link = message.querySelector("a");
  const seconds = document.getElementById("next-seconds");
  let stop = null;

  function stay() {
    stop?.();
    message.hidden = true;
  }

  video.addEventListener("ended", () => {
    if (!autoplay()) return;
    message.hidden = false;
    link.focus({ preventScroll: true });
    stop = countDown(
      WAIT_S,
      (left) => {
        seconds.textContent = String(left);
      },
      () => link.click(),
    );
  });
  link.addEventListener("click", playOnNextPage);
  for (const event of ["play", "seeking"]) video.addEventListener(event, stay);
  message.querySelector("button").addEventListener("click", () => {
    stay();
    container.querySelector('.plyr__controls [data-plyr="play"]')?.focus({ preventScroll: true });
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && !message.hidden) stay();
  });
}

/** Show the switch "Autoplay" as it was left. @returns {() => boolean} whether it is on */
function enableSwitch() {
  const label = document.getElementById("autoplay");
  if (!label) return () => false;
  const box = label.querySelector("input");
  box.checked = readPreferences().autoplay ?? box.checked;
  box.addEventListener("change", () => savePreferences({ autoplay: box.checked }));
  label.hidden = false;
  return () => box.checked;
}
