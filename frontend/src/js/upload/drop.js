/** Files dropped anywhere on the page. */

/**
 * @param {HTMLElement} zone lights up while files hover over the page
 * @param {(files: File[]) => void} take
 */
export function acceptDrops(zone, take) {
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const light = (on) => zone.classList.toggle("drag-over", on);

  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth += 1;
    light(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) light(false);
  });
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    // Otherwise the browser opens the file and leaves the page.
    event.preventDefault();
    depth = 0;
    light(false);
    take([...event.dataTransfer.files]);
  });
}
