/** Files dropped on a page that takes none: without this the browser would leave the page and open the file. */

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const isFileInput = (target) => target instanceof Element && target.matches("input[type=file]");

/** @param {HTMLElement | null} hint says where to upload; null: the visitor may not */
export function catchStrayDrops(hint) {
  for (const name of ["dragover", "drop"]) {
    document.addEventListener(name, (event) => {
      if (!carriesFiles(event) || isFileInput(event.target)) return;
      event.preventDefault();
      if (name === "drop" && hint) hint.hidden = false;
    });
  }
}
