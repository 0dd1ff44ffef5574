/** Entries of the menu "More" that need a script. */
import { formatClock } from "../format.js";
import { t } from "../i18n.js";
import { copyText } from "../site/copy.js";
import { linkAt } from "./times.js";

const SHOWN_MS = 3000;

/**
 * Copy the address of the page, or of the moment that is shown.
 * @param {HTMLDetailsElement} menu
 * @param {HTMLVideoElement} video
 */
export function enableCopyLinks(menu, video) {
  const plain = document.getElementById("copy-link");
  const here = document.getElementById("copy-link-here");
  if (!plain || !here) return; // a guest's address opens nothing for others
  const nameMoment = () => {
    here.querySelector("span").textContent = t("Copy link at {time}", {
      time: formatClock(video.currentTime),
    });
  };
  plain.hidden = here.hidden = false;
  menu.addEventListener("toggle", nameMoment);
  nameMoment();
  copyOnClick(plain, () => linkAt(location, null));
  copyOnClick(here, () => linkAt(location, video.currentTime));
}

function copyOnClick(button, address) {
  const words = button.querySelector("span");
  words.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const before = words.textContent;
    const copied = await copyText(address());
    words.textContent = copied ? t("Copied") : address();
    setTimeout(() => {
      words.textContent = before;
    }, SHOWN_MS);
  });
}

/**
 * An entry that is on or off.
 * @param {string} id
 * @param {(on: boolean) => void} change
 */
export function enableToggle(id, change) {
  const button = document.getElementById(id);
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    change(on);
  });
}
