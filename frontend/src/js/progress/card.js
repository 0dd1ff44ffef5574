/** A video card in the library: the text over its poster, and the poster once there is one. */
import { isOver } from "./feed.js";

/**
 * @param {HTMLElement} card
 * @param {object} state
 */
export function showOn(card, state) {
  const overlay = card.querySelector("[data-progress]");
  if (overlay) {
    overlay.querySelector("[data-lead]").textContent = state.watchable ? "Still processing" : "Not ready yet";
    overlay.querySelector("[data-words]").textContent = state.words;
  }
  if (isOver(state)) overlay?.remove();
  if (state.poster && !card.querySelector(".poster img")) {
    const poster = new Image(640, 360);
    poster.alt = "";
    poster.src = state.poster;
    card.querySelector(".placeholder").after(poster);
  }
}
