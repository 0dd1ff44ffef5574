/** Uploads on every page: files that are dropped or pasted, and what an earlier page did not finish. */
import address from "static:upload.js";
import { forgetAll, hasKept } from "../upload/kept-flag.js";
import { acceptFiles } from "./drop.js";

export function enableUploads() {
  const veil = document.getElementById("drop-veil");
  // Loaded only now: most pages have nothing to upload.
  acceptFiles(veil, async (found) => (await import(address)).take(found));
  if (veil && hasKept()) import(address);
  document.addEventListener("submit", (event) => {
    // Files that somebody chose are not left behind in a browser that others use too.
    if (event.target.getAttribute("action") === "/logout") forgetAll();
  });
}
