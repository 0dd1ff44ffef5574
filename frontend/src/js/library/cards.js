/** What happens to cards of the library. */
import { tn } from "../i18n.js";

const reduced = matchMedia("(prefers-reduced-motion: reduce)");

/** Let cards go: they fade, and are removed. @param {HTMLElement[]} cards */
export async function fadeOut(cards) {
  if (!reduced.matches) {
    const fading = cards
      .slice(0, 50)
      .map((card) => card.animate({ opacity: [1, 0] }, { duration: 150, fill: "forwards" }));
    await Promise.allSettled(fading.map((one) => one.finished));
  }
  for (const card of cards) card.remove();
}

/** Change the number of videos that the page says. @param {number} by */
export function updateCount(by) {
  const line = document.querySelector("[data-count]");
  if (!line) return;
  line.dataset.count = String(Number(line.dataset.count) + by);
  const count = Number(line.dataset.count);
  line.textContent =
    "matches" in line.dataset ? tn("{n} match", "{n} matches", count) : tn("{n} video", "{n} videos", count);
}
