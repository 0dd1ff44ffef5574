/** A card of the library: what is said over its picture, and the picture once it is drawn. */
import { isOver } from "./feed.js";

/**
 * @param {HTMLElement} card
 * @param {object} state
 */
export function showOn(card, state) {
  const over = card.querySelector("[data-progress]");
  if (over) {
    over.querySelector("[data-lead]").textContent = state.watchable ? "Watch now" : "Not ready yet";
    over.querySelector("[data-words]").textContent = state.words;
  }
  if (isOver(state)) over?.remove();
  if (state.poster && !card.querySelector(".poster img")) {
    const picture = new Image(640, 360);
    picture.alt = "";
    picture.src = state.poster;
    card.querySelector(".art").after(picture);
  }
}
