/** A dialog that asks for a collection, and adds a video to it. */
import { t } from "../i18n.js";
import { toast } from "../site/toast.js";

/**
 * @param {string} video its id
 * @returns {boolean} whether it asks: the page lists the collections only where several videos can be selected
 */
export function askForCollection(video) {
  if (!document.getElementById("selection")) return false;
  const options = [...document.querySelectorAll("#selection-collection option")];
  const dialog = document.createElement("dialog");
  dialog.className = "collect";
  dialog.setAttribute("aria-labelledby", "collect-heading");
  const heading = document.createElement("h2");
  heading.id = "collect-heading";
  heading.textContent = t("Add to collection");
  dialog.append(heading, existing(options), fresh());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(event.target, event.submitter));
    const title = event.submitter.dataset.title ?? body.get("title");
    dialog.close();
    await add(video, body, title);
  });
  document.body.append(dialog);
  dialog.showModal();
  return true;
}

function existing(options) {
  const form = document.createElement("form");
  form.className = "collect-list";
  for (const { value, text } of options) {
    const button = document.createElement("button");
    Object.assign(button, { type: "submit", name: "collection", value, textContent: text, dir: "auto" });
    button.dataset.title = text;
    button.className = "plain";
    form.append(button);
  }
  return form;
}

function fresh() {
  const form = document.createElement("form");
  form.className = "row collect-new";
  const field = document.createElement("input");
  Object.assign(field, { name: "title", maxLength: 200, required: true, autocomplete: "off", dir: "auto" });
  field.placeholder = t("New collection");
  field.ariaLabel = t("Title of a new collection");
  const button = document.createElement("button");
  Object.assign(button, { type: "submit", className: "primary", textContent: t("Add") });
  const cancel = document.createElement("button");
  Object.assign(cancel, { type: "button", className: "plain", textContent: t("Cancel") });
  cancel.addEventListener("click", () => cancel.closest("dialog").close());
  form.append(field, button, cancel);
  return form;
}

async function add(video, body, title) {
  try {
    const answer = await fetch(`/stream/${video}/collections`, { method: "POST", body });
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    toast(t("Added to “{title}”.", { title }));
  } catch {
    toast(t("It could not be added to “{title}”.", { title }), { drawing: "triangle-alert" });
  }
}
