/** The lists of videos: what a script adds to them. All of it works without, by links and forms. */
import { enableCardMenus } from "./library/card-menu.js";
import { enableEndless } from "./library/endless.js";
import { enableScrubbing } from "./library/scrub.js";
import { enableSelection } from "./library/selection.js";

const list = document.querySelector("[data-videos]");
const pages = list && enableEndless(list);
if (list) enableSelection(list, pages);
enableCardMenus();
enableScrubbing();
