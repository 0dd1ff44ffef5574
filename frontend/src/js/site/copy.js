/** Buttons that copy what a text field holds. */

import { t } from "../i18n.js";

const SHOWN_MS = 3000;

/**
 * Let a button copy a field.
 * @param {HTMLButtonElement} button with its words in a <span>
 * @param {HTMLInputElement} input
 */
export function enableCopy(button, input) {
  const words = button.querySelector("span");
  const before = words.textContent;
  words.setAttribute("aria-live", "polite");
  input.addEventListener("focus", () => input.select());
  button.addEventListener("click", async () => {
    words.textContent = (await copy(input)) ? t("Copied") : t("Press Ctrl+C to copy");
    setTimeout(() => {
      words.textContent = before;
    }, SHOWN_MS);
  });
}

/**
 * Copy a text.
 * @param {string} text
 * @returns {Promise<boolean>} whether it is on the clipboard now
 */
export async function copyText(text) {
  const input = document.createElement("textarea");
  input.value = text;
  input.className = "hidden-text";
  document.body.append(input);
  const before = document.activeElement;
  const copied = await copy(input);
  input.remove();
  before?.focus({ preventScroll: true });
  return copied;
}

/** @returns {Promise<boolean>} whether it is on the clipboard now */
async function copy(input) {
  try {
    // Missing over plain HTTP, which a home network often is.
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    input.select();
    return document.execCommand("copy");
  }
}
