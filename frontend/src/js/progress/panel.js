/** The processing panel of the watch page: text, progress, and the steps for the owner. */
import { list, t, tn } from "../i18n.js";
import { isOver } from "./feed.js";

const ICONS = { done: "check", running: "play", waiting: "clock", failed: "triangle-alert" };
const HEADINGS = { done: () => t("Processing is complete"), failed: () => t("Processing failed in part") };

/**
 * @param {HTMLElement} panel
 * @param {{master?: string, storyboard?: string}} had state that the page was rendered with
 * @returns {(state: object) => void} shows a new state
 */
export function showIn(panel, { master, storyboard }) {
  const part = (name) => document.getElementById(`processing-${name}`);
  let before = {
    state: "processing",
    heights: (panel.dataset.heights ?? "").split(",").filter(Boolean).map(Number),
    ...{ master, storyboard },
  };

  return function show(state) {
    part("words").textContent = state.words;
    part("heading").textContent = HEADINGS[state.state]?.() ?? part("heading").textContent;
    part("meter").value = state.percent;
    part("meter").hidden = isOver(state);
    if (part("steps")) drawSteps(part("steps"), state.steps);
    if (part("again")) part("again").hidden = state.state !== "failed";
    const said = sentence(before, state);
    if (said) part("said").textContent = said;
    for (const [name, detail] of news(before, state)) {
      document.dispatchEvent(new CustomEvent(`matinee:${name}`, { detail }));
    }
    before = state;
  };
}

/**
 * What a screen reader announces. Percentages change every second and are not announced.
 * @param {{state: string, heights: number[]}} before
 * @param {{state: string, heights: number[], words: string}} after
 * @returns {string} empty if nothing is announced
 */
export function sentence(before, after) {
  if (isOver(after)) return after.state === before.state ? "" : after.words;
  const added = after.heights.filter((height) => !before.heights.includes(height));
  if (added.length === 0) return "";
  const heights = list(added.map((height) => `${height}p`));
  return tn("{heights} can be played now.", "{heights} can be played now.", added.length, { heights });
}

/**
 * Events for the player: names and details.
 * @param {{heights: number[], master?: string | null, storyboard?: string | null}} before
 * @param {{heights: number[], master: string | null, storyboard: string | null}} after
 * @returns {[string, object][]}
 */
export function news(before, after) {
  const { heights, master, storyboard } = after;
  const found = [];
  // Video renditions may be ready before the master: it waits for the audio.
  if (master && (master !== before.master || String(heights) !== String(before.heights))) {
    found.push(["renditions", { heights, master }]);
  }
  if (storyboard && storyboard !== before.storyboard) found.push(["storyboard", { storyboard }]);
  return found;
}

function drawSteps(list, steps) {
  const pattern = list.firstElementChild;
  if (!pattern) return;
  while (list.children.length < steps.length) list.append(pattern.cloneNode(true));
  while (list.children.length > steps.length) list.lastElementChild.remove();
  for (const [index, step] of steps.entries()) {
    const item = list.children[index];
    item.className = step.state;
    item.querySelector("span").textContent = step.words;
    item.querySelector("p").textContent = step.error ?? "";
    item.querySelector("p").hidden = !step.error;
    const use = item.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${ICONS[step.state]}`));
  }
}
