/**
 * Live processing progress: in the panel of the watch page, or on the cards of the library. One
 * connection per page, and none while the page is hidden.
 */
import { showOn } from "./progress/card.js";
import { follow, isOver } from "./progress/feed.js";
import { showIn } from "./progress/panel.js";

const MOST = 24; // videos that the server follows for one page

/**
 * Follow an address while the page is visible.
 * @returns {() => void} ends it
 */
function whileVisible(url, tell) {
  let end;
  let over = false;
  const told = (state) => {
    over = !tell(state);
    return !over;
  };
  const update = () => {
    end?.();
    end = document.hidden || over ? undefined : follow(url, told);
  };
  document.addEventListener("visibilitychange", update);
  update();
  return () => {
    document.removeEventListener("visibilitychange", update);
    end?.();
  };
}

function followOne(container) {
  const show = showIn(document.getElementById("processing"), container.dataset);
  whileVisible(container.dataset.progress, (state) => {
    // The server renders another page now: with an error, or with a player.
    const comes = state.watchable && !document.getElementById("player");
    if (state.state === "refused" || comes) location.reload();
    show(state);
    return !isOver(state);
  });
}

/** @returns {() => void} ends it */
function followCards(cards) {
  // A video may have a card in two lists.
  const open = new Set(cards.map((card) => card.dataset.video));
  const url = `/api/videos/progress?ids=${[...open].join(",")}`;
  return whileVisible(url, ({ id, ...state }) => {
    for (const card of cards) {
      if (card.dataset.video === id) showOn(card, state);
    }
    if (isOver(state)) open.delete(id);
    return open.size > 0;
  });
}

const container = document.querySelector("#player-container[data-progress]");
let endCards;

/** Follow the cards that are on the page now; one connection for all. */
function followAllCards() {
  endCards?.();
  const cards = [...document.querySelectorAll(".video-card:has([data-progress])")].slice(0, MOST);
  endCards = cards.length > 0 ? followCards(cards) : undefined;
}

if (container) {
  followOne(container);
} else {
  followAllCards();
  document.addEventListener("matinee:cards", ({ detail }) => {
    if (detail.cards.some((card) => card.querySelector("[data-progress]"))) followAllCards();
  });
}
