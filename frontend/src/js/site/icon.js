/** Icons of the sprite, for what scripts draw. */
import sprite from "static:icons.svg";

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} name as in icons.mjs @returns {SVGElement} hidden from screen readers */
export function drawIcon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
