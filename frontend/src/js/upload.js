/**
 * Uploads, on the upload page and in the corner of the others. Without this script the form sends one file.
 *
 * `site.js` imports this on other pages when there is something to upload.
 */
import { startPage } from "./upload/page.js";
import { startPanel } from "./upload/panel.js";

const form = document.getElementById("upload");
const started = form ? startPage(form) : startPanel();

/**
 * Upload files that were dropped or pasted.
 * @param {{files: File[], left: number}} found
 */
export async function take({ files, left }) {
  const uploader = await started;
  uploader?.take(files, { left });
}
