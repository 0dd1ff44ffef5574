/** Theatre mode: the player is as wide as the page. Remembered in this browser. */
import { readPreferences, savePreferences } from "./preferences.js";

/**
 * @param {HTMLElement | null} page null where there is nothing beside the player
 * @returns {{on: () => boolean, toggle: () => boolean} | null} null where the mode would change nothing
 */
export function enableTheatre(page) {
  if (!page || page.classList.contains("alone")) return null;
  const on = () => page.classList.contains("theatre");
  page.classList.toggle("theatre", readPreferences().theatre ?? false);
  return {
    on,
    toggle() {
      page.classList.toggle("theatre");
      savePreferences({ theatre: on() });
      return on();
    },
  };
}
