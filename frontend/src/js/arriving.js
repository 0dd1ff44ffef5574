/** The page of a video that is still being uploaded: it tells how far that is, and opens the video at the end. */
import { formatProgress } from "./format.js";

const EVERY_MS = 2000;

const section = document.getElementById("arriving");
const bar = section.querySelector("progress");
const text = document.getElementById("arriving-text");

async function look() {
  try {
    const answer = await fetch(section.dataset.upload, { headers: { Accept: "application/json" } });
    // Discarded, expired, or signed out: the page itself says what there is now.
    if (!answer.ok && answer.status < 500) return location.reload();
    const upload = await answer.json();
    if (upload.is_video) return location.reload();
    if (upload.length) {
      bar.hidden = false;
      bar.value = upload.offset / upload.length;
      text.textContent = formatProgress(upload.offset, upload.length);
    }
  } catch {
    // The network is away, or the server busy.
  }
  setTimeout(look, EVERY_MS);
}

look();
