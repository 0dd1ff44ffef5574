/** The order of a collection, by dragging. The buttons of each video do the same without a script. */

import { t } from "./i18n.js";

const list = document.getElementById("items");
const status = document.getElementById("items-status");
let dragged = null;

const ids = () => [...list.children].map((item) => item.dataset.video);

async function save() {
  const answer = await fetch(`/api/collections/${list.dataset.collection}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ items: ids() }),
  });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
}

/** Puts the dragged video before or after the one under the pointer. */
function place(target) {
  const items = [...list.children];
  if (items.indexOf(dragged) < items.indexOf(target)) target.after(dragged);
  else target.before(dragged);
}

// An empty collection has no list.
for (const item of list?.children ?? []) {
  item.draggable = true;
  item.addEventListener("dragstart", (event) => {
    dragged = item;
    item.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", item.dataset.video);
  });
  item.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    if (item !== dragged) place(item);
  });
  item.addEventListener("drop", (event) => {
    if (dragged) event.preventDefault();
  });
  item.addEventListener("dragend", async () => {
    item.classList.remove("dragged");
    dragged = null;
    try {
      await save();
      status.textContent = t("The new order is saved.");
    } catch (error) {
      console.warn("The order was not saved:", error);
      location.reload();
    }
  });
}
