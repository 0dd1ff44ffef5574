/** The icons: a sprite of the Lucide drawings we use, and our own mark. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Names as Lucide spells them; templates use the same ones: `icon('upload')`. */
export const ICONS = [
  "arrow-left",
  "arrow-right",
  "arrow-up-down",
  "ban",
  "captions",
  "chart-line",
  "check",
  "chevron-down",
  "chevron-left",
  "chevron-right",
  "circle-alert",
  "circle-check",
  "circle-question-mark",
  "clapperboard",
  "clock",
  "cloud-off",
  "cloud-upload",
  "code",
  "copy",
  "download",
  "ellipsis",
  "ellipsis-vertical",
  "eye",
  "eye-off",
  "film",
  "globe",
  "image",
  "inbox",
  "info",
  "key-round",
  "keyboard",
  "languages",
  "layout-grid",
  "link",
  "list",
  "list-plus",
  "list-video",
  "lock",
  "log-in",
  "log-out",
  "monitor",
  "pause",
  "pencil",
  "play",
  "plus",
  "qr-code",
  "rectangle-horizontal",
  "repeat",
  "rotate-ccw",
  "search",
  "search-x",
  "settings",
  "shield",
  "sliders-horizontal",
  "smartphone",
  "square",
  "square-check",
  "subtitles",
  "tag",
  "trash-2",
  "triangle-alert",
  "upload",
  "user",
  "user-plus",
  "users",
  "x",
];

/** What Plyr asks for as `#plyr-<name>`, and the drawing that it gets. */
const PLAYER_ICONS = {
  airplay: "airplay",
  "enter-fullscreen": "maximize",
  "exit-fullscreen": "minimize",
  muted: "volume-x",
  pause: "pause",
  pip: "picture-in-picture-2",
  play: "play",
  volume: "volume-2",
};

/** Filled, to be visible on any video. */
const SOLID = new Set(["plyr-pause", "plyr-play"]);

const drawings = join(dirname(createRequire(import.meta.url).resolve("lucide-static/package.json")), "icons");

/** What lies between <svg ...> and </svg>, on one line. */
function inner(svg) {
  return svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/\s*\n\s*/g, "")
    .trim();
}

/** One file of <symbol>s. The strokes take the colour of the text beside them. */
export async function drawSprite(mark, lost) {
  const pen = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';
  const drawn = Object.entries(PLAYER_ICONS).map(([name, drawing]) => [`plyr-${name}`, drawing]);
  const symbols = await Promise.all(
    [...ICONS.map((name) => [name, name]), ...drawn].map(async ([id, drawing]) => {
      const svg = await readFile(join(drawings, `${drawing}.svg`), "utf8");
      const strokes = SOLID.has(id) ? pen.replace('"none"', '"currentColor"') : pen;
      return `<symbol id="${id}" viewBox="0 0 24 24" ${strokes}>${inner(svg)}</symbol>`;
    }),
  );
  symbols.push(`<symbol id="mark" viewBox="0 0 32 32" fill="currentColor">${inner(mark)}</symbol>`);
  symbols.push(`<symbol id="lost" viewBox="0 0 240 160" fill="currentColor">${inner(lost)}</symbol>`);
  const licence = "<!-- Lucide (lucide.dev), ISC licence; the mark and the lost film are ours -->";
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${licence}\n${symbols.join("\n")}\n</svg>\n`;
}

/** The mark on a tile of our dark paper. The PNG files beside mark.svg show the same, for home screens. */
export function drawAppIcon(mark) {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0e1014"/>' +
    `<g fill="#ffb84d" transform="translate(4 4) scale(0.75)">${inner(mark)}</g></svg>\n`
  );
}
