/** Files that are dropped or pasted anywhere on the site. Without this a browser leaves the page and opens them. */
import { filesIn } from "./files.js";

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const isFileInput = (target) => target instanceof Element && target.matches("input[type=file]");

/**
 * @param {HTMLElement | null} veil lies over the page while files hover over it; null: the visitor may not upload
 * @param {(found: {files: File[], left: number}) => void} upload
 */
export function acceptFiles(veil, upload) {
  // `dragenter` and `dragleave` come for every element on the way.
  let depth = 0;
  const show = (on) => {
    if (veil) veil.hidden = !on;
    document.querySelector(".drop-zone")?.classList.toggle("drag-over", on);
  };

  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event) || !veil) return;
    event.preventDefault();
    depth += 1;
    show(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) show(false);
  });
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event) || isFileInput(event.target)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = veil ? "copy" : "none";
  });
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    depth = 0;
    show(false);
    if (isFileInput(event.target)) return;
    event.preventDefault();
    if (veil) upload(await filesIn(event.dataTransfer));
  });
  document.addEventListener("paste", async (event) => {
    const { clipboardData: pasted } = event;
    if (!veil || !pasted?.files.length || isTextField(event.target)) return;
    event.preventDefault();
    upload(await filesIn(pasted));
  });
}

const isTextField = (target) => target instanceof Element && target.matches("input, textarea");
