/** The entries of the quality menu and their labels. */
import { t } from "../i18n.js";

/** The rendition that holds the original video, copied without encoding. */
const SOURCE = "source";

/**
 * The name of a rendition, which is that of its playlist: `720p`, `source`.
 * @param {string} url
 */
export function nameOf(url) {
  return /([^/]+)\.m3u8(?:[?#].*)?$/.exec(url)?.[1] ?? "";
}

/**
 * The renditions of a master, best first.
 * @param {{height: number, url: string[] | string}[]} levels as hls.js lists them
 * @returns {{name: string, index: number, lines: number}[]}
 */
export function renditionsOf(levels) {
  return levels
    .map(({ height, url }, index) => ({ name: nameOf([url].flat()[0]), index, lines: height }))
    .map((rendition) => ({ ...rendition, name: rendition.name || `${rendition.lines}p` }))
    .reverse();
}

/** @param {{name: string, lines: number}} rendition */
function label({ name, lines }) {
  return name === SOURCE ? `${lines}p` : name;
}

/**
 * What a choice of the menu is called.
 * @param {{name: string, lines: number}[]} renditions
 * @param {string} choice
 */
export function labelOf(renditions, choice) {
  const name = choice === "original" ? SOURCE : choice;
  const found = renditions.find((rendition) => rendition.name === name);
  return found ? label(found) : choice;
}

/**
 * The entries of the menu. `original` stands for the file as it was uploaded, whether it comes as a
 * rendition or as a whole; `auto` lets the network decide.
 *
 * @param {object} now
 * @param {{name: string, lines: number}[]} now.renditions of HLS, best first; as far as they are known
 * @param {string | null} now.playing the name of the rendition being shown, if HLS plays
 * @param {string} now.chosen "auto", "original" or a name
 * @param {boolean} now.adaptive there is HLS
 * @param {boolean} now.originalPlays the browser can play the file as it was uploaded
 * @returns {{value: string, label: string, note: string, checked: boolean}[]} none: no choice
 */
export function qualityChoices({ renditions, playing, chosen, adaptive, originalPlays }) {
  if (!adaptive) return [];
  const current = renditions.find((rendition) => rendition.name === playing);
  const source = renditions.find((rendition) => rendition.name === SOURCE);
  const choices = [
    {
      value: "auto",
      label: current && chosen === "auto" ? t("Auto ({quality})", { quality: label(current) }) : t("Auto"),
    },
  ];
  if (source) choices.push({ value: "original", label: t("Original"), note: label(source) });
  else if (originalPlays) choices.push({ value: "original", label: t("Original") });
  for (const rendition of renditions) {
    if (rendition !== source) choices.push({ value: rendition.name, label: label(rendition) });
  }
  const picked = choices.some((choice) => choice.value === chosen) ? chosen : "auto";
  return choices.map((choice) => ({ note: "", ...choice, checked: choice.value === picked }));
}

/**
 * Which level of hls.js a choice stands for.
 * @param {{name: string, index: number | null}[]} renditions an index is null if hls.js does not know it yet
 * @param {string} choice
 * @returns {number | null} -1 for automatic; null if no rendition has it
 */
export function levelOf(renditions, choice) {
  if (choice === "auto") return -1;
  const name = choice === "original" ? SOURCE : choice;
  return renditions.find((rendition) => rendition.name === name)?.index ?? null;
}

/**
 * The choice, once the renditions are known: a height may turn out to be that of the original.
 * @param {{name: string, lines: number, index: number | null}[]} renditions
 * @param {string} choice
 * @returns {string} "auto" if no rendition has it
 */
export function settledChoice(renditions, choice) {
  if (levelOf(renditions, choice) !== null) return choice;
  const source = renditions.find((rendition) => rendition.name === SOURCE);
  return source && choice === `${source.lines}p` ? "original" : "auto";
}

/**
 * The renditions, and those that only the server's list of heights has so far.
 * @param {{name: string, lines: number}[]} renditions that are known
 * @param {number[]} heights reported by the server
 */
export function withForeseen(renditions, heights) {
  const known = new Set(renditions.map((one) => one.lines));
  const foreseen = heights
    .filter((lines) => !known.has(lines))
    .map((lines) => ({ name: `${lines}p`, lines, index: null }));
  return [...foreseen, ...renditions].sort((a, b) => b.lines - a.lines);
}
