/** Current time and length in the control bar. */
import { formatClock } from "../format.js";
import { t } from "../i18n.js";

/**
 * Plyr does not show the length of a video that starts anywhere but at 0: its `durationUpdate` returns early then. It
 * also pads minutes ("00:33"), which no other page does.
 *
 * @param {HTMLVideoElement} video
 * @param {number} knownLength seconds, as the server measured them; shown until the browser knows better
 * @returns {HTMLElement[]} two elements for the control bar
 */
export function makeTimeDisplay(video, knownLength) {
  const current = makeTime(t("Current time"));
  const length = makeTime(t("Length"));

  const showCurrent = () => {
    current.textContent = formatClock(video.currentTime);
  };
  const showLength = () => {
    // While one source replaces another the browser knows no length: the last one stays.
    if (Number.isFinite(video.duration)) length.textContent = formatClock(video.duration);
  };

  for (const event of ["timeupdate", "seeking", "seeked"]) video.addEventListener(event, showCurrent);
  for (const event of ["loadedmetadata", "durationchange"]) video.addEventListener(event, showLength);
  length.textContent = formatClock(knownLength);
  showCurrent();
  showLength();
  return [current, length];
}

function makeTime(label) {
  const time = document.createElement("div");
  time.className = "plyr__controls__item plyr__time";
  time.setAttribute("role", "timer");
  time.setAttribute("aria-label", label);
  return time;
}
