/** What every page has. Nothing here is needed to use the site. */
import { enableReveal, enableSearchKey, markBusy } from "./site/forms.js";
import { enableLinks } from "./site/links.js";
import { enableMenus } from "./site/menus.js";
import { enableReload, registerServiceWorker, watchNetwork } from "./site/network.js";
import { saveOnChange } from "./site/save-on-change.js";
import { suggestSearches } from "./site/search.js";
import { showStrength } from "./site/strength.js";
import { suggestNames } from "./site/suggest.js";
import { toastNotice } from "./site/toast.js";
import { warnIfUnsaved } from "./site/unsaved.js";
import { enableUploads } from "./site/uploads.js";

enableMenus();
enableSearchKey();
enableUploads();
enableLinks();
suggestNames();
enableReveal();
markBusy();
watchNetwork(document.getElementById("offline-banner"));
enableReload();
registerServiceWorker();
suggestSearches(document.querySelector('header input[type="search"]'));
// Where one is stands in the middle, if the places do not fit side by side.
for (const here of document.querySelectorAll("nav [aria-current]")) {
  const places = here.closest("nav");
  const box = here.getBoundingClientRect();
  const room = places.getBoundingClientRect();
  places.scrollLeft += (box.left + box.right - room.left - room.right) / 2;
}
for (const form of document.querySelectorAll("form[data-save-on-change]")) saveOnChange(form);
for (const part of document.querySelectorAll("[data-strength]")) showStrength(part);
for (const form of document.querySelectorAll("form[data-warn-unsaved]")) warnIfUnsaved(form);
for (const notice of document.querySelectorAll("[data-undo]")) toastNotice(notice);
// An error far down the page would not be seen. After `load`: going to the address's fragment takes the focus away.
addEventListener("load", () => document.querySelector("[data-focus]")?.focus());
