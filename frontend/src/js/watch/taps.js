/** A double tap at the left or right of the picture goes 10 seconds back or forward. */
import { tn } from "../i18n.js";

const STEP_S = 10;
const DOUBLE_MS = 300;
const SHOWN_MS = 600;

/**
 * What a double tap at a place does.
 * @param {number} x pixels from the left edge
 * @param {number} width of the player in pixels
 * @returns {-1 | 0 | 1} back, nothing, forward
 */
export function tapZone(x, width) {
  if (x < width / 3) return -1;
  return x > (2 * width) / 3 ? 1 : 0;
}

/**
 * Count taps. Each after the second in a row goes further.
 * @returns {(zone: number, when: number) => number} how many steps in this row; 0 for a single tap
 */
export function makeTapCounter() {
  let last = { zone: 0, when: Number.NEGATIVE_INFINITY, count: 0 };
  return (zone, when) => {
    const follows = zone !== 0 && zone === last.zone && when - last.when < DOUBLE_MS;
    last = { zone, when, count: follows ? last.count + 1 : 0 };
    return last.count;
  };
}

/**
 * @param {HTMLElement} container
 * @param {HTMLVideoElement} video
 */
export function enableTaps(container, video) {
  const countTap = makeTapCounter();
  const feedback = document.createElement("div");
  feedback.className = "tap-feedback";
  feedback.setAttribute("aria-hidden", "true");
  container.append(feedback);
  let timer;
  let touched = false;

  container.addEventListener("pointerup", (event) => {
    touched = event.pointerType === "touch";
    if (!touched || event.target.closest("button, a, input, .settings-panel, .player-facts")) return;
    const box = container.getBoundingClientRect();
    const zone = tapZone(event.clientX - box.left, box.width);
    const count = countTap(zone, event.timeStamp);
    if (count === 0 || !Number.isFinite(video.duration)) return;
    video.currentTime = Math.min(Math.max(video.currentTime + zone * STEP_S, 0), video.duration);
    const seconds = count * STEP_S;
    feedback.textContent = tn("{n} second", "{n} seconds", seconds);
    feedback.dataset.zone = zone < 0 ? "back" : "forward";
    clearTimeout(timer);
    timer = setTimeout(() => delete feedback.dataset.zone, SHOWN_MS);
  });
  // A double click opens the full screen; a double tap does not.
  container.addEventListener(
    "dblclick",
    (event) => {
      if (touched) event.stopPropagation();
    },
    { capture: true },
  );
}
