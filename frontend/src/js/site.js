/** What every page has. Nothing here is needed to use the site. */
import { enableLinks } from "./site/links.js";
import { suggestNames } from "./site/suggest.js";
import { hideLater } from "./site/undo.js";
import { warnIfUnsaved } from "./site/unsaved.js";
import { enableUploads } from "./site/uploads.js";

const menus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("pointerdown", (event) => {
  for (const menu of menus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of menus()) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  }
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "/" && plain && document.activeElement === document.body) {
    const search = document.querySelector('input[type="search"]');
    if (search) {
      event.preventDefault();
      search.select();
    }
  }
});

enableUploads();
enableLinks();
suggestNames();
// Where one is, if the places do not fit side by side.
for (const here of document.querySelectorAll("nav [aria-current]")) {
  const places = here.closest("nav");
  const hidden = here.getBoundingClientRect().right - places.getBoundingClientRect().right;
  if (hidden > 0) places.scrollLeft += hidden;
}
for (const form of document.querySelectorAll("form[data-warn-unsaved]")) warnIfUnsaved(form);
for (const notice of document.querySelectorAll("[data-undo]")) hideLater(notice);
// An error far down the page would not be seen. After `load`: going to the address's fragment takes the focus away.
addEventListener("load", () => document.querySelector("[data-focus]")?.focus());
