/**
 * A list that goes on: the next page is fetched when the reader comes near its end. The place is kept in the
 * history's entry, so that going back shows it again.
 */
import { tn } from "../i18n.js";

const NEAR = "900px"; // below the display, at which the next page is fetched
const SKELETONS = 6;
const AT_ONCE = 8; // cards that are put into the list before the browser draws
const MOST_STEPS = 20;
const SETTLED_MS = 200; // without scrolling, after which the place is kept

/**
 * @param {HTMLElement} list of the cards, with a link to the next page after it
 * @returns {{refresh: () => Promise<void>}} shows the list anew, with as many cards
 */
export function enableEndless(list) {
  const status = document.getElementById("library-status");
  const first = list.children.length; // what the server has rendered
  let more = document.querySelector("[data-more]");
  let running = false;

  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) load();
    },
    { rootMargin: `${NEAR} 0px` },
  );

  function watch() {
    observer.disconnect();
    if (more) observer.observe(more);
  }

  /** Put the cards of a page into the list, some at a time, and its link in the place of the old one. */
  async function add(page, { anew = false } = {}) {
    const cards = page.querySelector("[data-videos]");
    if (!cards) throw new Error("the answer holds no cards"); // signed out, for example
    const fresh = [...cards.children].map((card) => document.adoptNode(card));
    if (anew) list.replaceChildren(...fresh);
    else await append(list, fresh);
    const next = page.querySelector("[data-more]");
    more?.remove();
    more = next && document.adoptNode(next);
    if (more) list.after(more);
    document.dispatchEvent(new CustomEvent("matinee:cards", { detail: { cards: fresh } }));
  }

  /** @param {number} [count] of cards; a page of them if it is not given */
  async function load(count) {
    if (running || !more) return;
    running = true;
    observer.disconnect();
    const waiting = skeletons();
    list.append(...waiting);
    try {
      const page = await fetchCards(more.href, count);
      for (const one of waiting) one.remove();
      await add(page);
      status.textContent = tn("{n} video is shown.", "{n} videos are shown.", list.children.length);
      watch();
    } catch {
      for (const one of waiting) one.remove(); // the link stays, to try again
    } finally {
      running = false;
    }
  }

  async function refresh() {
    await add(await fetchCards(location.href, Math.max(first, list.children.length)), { anew: true });
    watch();
  }

  document.addEventListener("click", (event) => {
    if (!more?.contains(event.target) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    load();
  });

  keepPlace(list, first);
  restorePlace(list, first, load).then(watch, watch);
  return { refresh };
}

/** @returns {Promise<Document>} */
async function fetchCards(address, count) {
  const url = new URL(address);
  url.searchParams.set("part", "cards");
  if (count) url.searchParams.set("count", String(count));
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Laying out many cards in one go would hold up the scrolling. */
async function append(list, cards) {
  const step = Math.max(AT_ONCE, Math.ceil(cards.length / MOST_STEPS));
  for (let from = 0; from < cards.length; from += step) {
    if (from > 0) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    list.append(...cards.slice(from, from + step));
  }
}

function skeletons() {
  return Array.from({ length: SKELETONS }, () => {
    const card = document.createElement("li");
    card.className = "skeleton-card";
    card.ariaHidden = "true";
    for (const part of ["picture", "line", "line short"]) {
      const shape = document.createElement("span");
      shape.className = `skeleton ${part}`;
      card.append(shape);
    }
    return card;
  });
}

/** Keep in the history's entry how many cards there are, and which one is where on the display. */
function keepPlace(list, first) {
  const keep = () => {
    const card = [...list.children].find(
      (one) => one.dataset.video && one.getBoundingClientRect().bottom > 0,
    );
    const top = card?.getBoundingClientRect().top;
    const place = { count: list.children.length, card: card?.dataset.video, top };
    history.replaceState({ ...history.state, library: place }, "");
    if (place.count > first) history.scrollRestoration = "manual";
  };
  let timer;
  addEventListener(
    "scroll",
    () => {
      clearTimeout(timer);
      timer = setTimeout(keep, SETTLED_MS);
    },
    { passive: true },
  );
  // Before a card is opened.
  document.addEventListener("click", keep, { capture: true });
}

async function restorePlace(list, first, load) {
  const place = history.state?.library;
  if (!place || place.count <= first) return;
  await load(place.count - first);
  const card = list.querySelector(`[data-video="${CSS.escape(place.card ?? "")}"]`);
  if (card) scrollBy({ top: card.getBoundingClientRect().top - place.top, behavior: "instant" });
}
