/**
 * The uploads in the corner of every other page. What it shows is part of the upload page, from where it is
 * fetched when there is something to show: other pages carry nothing of it.
 */
import { Uploader } from "./uploader.js";

const CLOSED = "matinee-uploads-closed";

/** @returns {Promise<Uploader | null>} null: nobody is signed in who may upload */
export async function startPanel() {
  const answer = await fetch("/upload", { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const form = page.getElementById("upload");
  if (!form) return null;
  const panel = document.importNode(page.getElementById("upload-panel").content, true).firstElementChild;
  const details = panel.querySelector("details");
  const total = panel.querySelector("[data-part=total]");
  details.open = sessionStorage.getItem(CLOSED) === null;
  details.addEventListener("toggle", () => {
    if (details.open) sessionStorage.removeItem(CLOSED);
    else sessionStorage.setItem(CLOSED, "1");
  });
  const list = panel.querySelector("[data-part=list]");
  const uploader = new Uploader({
    form,
    template: page.getElementById("transfer"),
    place: {
      list,
      note: panel.querySelector("[data-part=note]"),
      announcer: panel.querySelector("[role=status]"),
      show: () => document.body.append(panel),
      changed: (percent) => {
        total.textContent = percent === null ? "" : `${percent} %`;
        if (list.childElementCount === 0) panel.remove();
      },
    },
  });
  await uploader.restore();
  return uploader;
}
