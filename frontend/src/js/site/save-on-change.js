/** Forms that save each field when it changes, with a toast that undoes it. Without this script a button saves. */
import { t } from "../i18n.js";
import { toast } from "./toast.js";

/** @param {HTMLFormElement} form marked with `data-save-on-change`; its address takes single fields */
export function saveOnChange(form) {
  const saved = new Map(new FormData(form));
  const button = form.querySelector("[data-saves]");
  if (button) button.hidden = true;

  const change = async (name, { isUndo = false } = {}) => {
    const value = new FormData(form).get(name);
    const before = saved.get(name);
    if (value === null || value === before) return;
    const problem = await send(form, name, value);
    showProblem(form, name, problem);
    if (problem) return;
    saved.set(name, value);
    for (const shown of document.querySelectorAll(`[data-shows="${name}"]`)) shown.textContent = value;
    const undo = () => {
      setValue(form, name, before);
      return change(name, { isUndo: true });
    };
    toast(isUndo ? t("Undone.") : t("Saved."), isUndo ? {} : { undo });
  };

  form.addEventListener("change", ({ target }) => {
    if (target.name) change(target.name);
  });
  // Enter in a field.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (document.activeElement?.name) change(document.activeElement.name);
  });
}

/** @returns {Promise<string>} why it was not saved; empty if it was */
async function send(form, name, value) {
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ [name]: value }),
    });
    if (answer.ok) return "";
    const { error } = await answer.json();
    return error;
  } catch {
    return t("This was not saved, because the site cannot be reached.");
  }
}

function setValue(form, name, value) {
  const control = form.elements.namedItem(name);
  control.value = value;
}

/** Show under a field why it was not saved, or take that away. */
function showProblem(form, name, problem) {
  const found = form.elements.namedItem(name);
  const control = found instanceof RadioNodeList ? found[0] : found;
  const id = `${name}-not-saved`;
  document.getElementById(id)?.remove();
  control.removeAttribute("aria-invalid");
  if (!problem) return;
  const words = document.createElement("p");
  words.id = id;
  words.className = "field-error";
  words.setAttribute("role", "alert");
  words.textContent = problem;
  control.setAttribute("aria-invalid", "true");
  (control.closest(".field, fieldset") ?? control.parentElement).append(words);
}
