/** A video card in the library: how far its preparation is, and the poster once there is one. */
import { isOver } from "./feed.js";

/**
 * @param {HTMLElement} card
 * @param {object} state
 */
export function showOn(card, state) {
  const overlay = card.querySelector("[data-progress]");
  if (overlay) {
    if (state.watchable) overlay.querySelector("[data-lead]")?.remove();
    const bar = overlay.querySelector("progress");
    if (bar) {
      bar.value = state.percent;
      overlay.querySelector("[data-words]").textContent = state.words;
    }
  }
  if (isOver(state)) overlay?.remove();
  if (state.poster && !card.querySelector(".poster img")) {
    const poster = new Image(640, 360);
    poster.alt = "";
    poster.src = state.poster;
    card.querySelector(".placeholder").after(poster);
  }
}
