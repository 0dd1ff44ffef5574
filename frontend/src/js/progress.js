/**
 * How far videos are prepared, live: the panel of the watch page, or the cards of the library. One
 * connection a page, and none while the page is not looked at.
 */
import { showOn } from "./progress/card.js";
import { follow, isOver } from "./progress/feed.js";
import { showIn } from "./progress/panel.js";

/** Follow an address while the page is visible. */
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
}

function followOne(screen) {
  const show = showIn(document.getElementById("processing"), screen.dataset);
  whileVisible(screen.dataset.progress, (state) => {
    // The page is another one now: it says why it cannot be played, or has a player.
    const comes = state.watchable && !document.getElementById("player");
    if (state.state === "refused" || comes) location.reload();
    show(state);
    return !isOver(state);
  });
}

function followCards(cards) {
  const open = new Map(cards.map((card) => [card.dataset.film, card]));
  const url = `/api/videos/progress?ids=${[...open.keys()].join(",")}`;
  whileVisible(url, ({ id, ...state }) => {
    if (open.has(id)) showOn(open.get(id), state);
    if (isOver(state)) open.delete(id);
    return open.size > 0;
  });
}

const screen = document.querySelector("#screen[data-progress]");
const cards = [...document.querySelectorAll("[data-film]:has([data-progress])")];
if (screen) followOne(screen);
else if (cards.length > 0) followCards(cards);
