/** The link to this video, and a button that copies it. */
import { enableCopy } from "../site/copy.js";

/** @param {HTMLElement} box */
export function enableCopyLink(box) {
  const input = box.querySelector("input");
  input.value = location.origin + location.pathname;
  enableCopy(box.querySelector("button"), input);
  box.hidden = false;
}
