/** Times in descriptions, chapters and addresses. */
import { startInAddress } from "./resume.js";

/**
 * The address of a moment of a video.
 * @param {{origin: string, pathname: string}} address of the page
 * @param {number | null} seconds null: of the video
 */
export function linkAt({ origin, pathname }, seconds) {
  const whole = Math.floor(seconds ?? 0);
  return origin + pathname + (whole > 0 ? `?t=${whole}` : "");
}

/**
 * Go to the time of a link that is followed.
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} container of the player
 */
export function enableTimes(video, container) {
  const go = (seconds) => {
    video.currentTime = seconds;
    video.play().catch(() => {}); // not allowed to: it is there, paused
    container.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-time]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(Number(link.dataset.time));
  });
  addEventListener("hashchange", () => {
    const asked = startInAddress({ hash: location.hash, search: "" });
    if (asked !== null) go(asked);
  });
}
