/** Toasts: one sentence about what has just been done, for a while, with a button that undoes it. */

import { t } from "../i18n.js";
import { drawIcon } from "./icon.js";

const SHOWN = 10_000; // milliseconds, enough to read it and to reach the button

/**
 * Show a sentence. It is read out, and goes away after ten seconds in which nobody points at it.
 * @param {string} text
 * @param {{ undo?: () => unknown, label?: string, drawing?: string }} [options] what a button undoes, and its words
 * @returns {HTMLElement} the toast
 */
export function toast(text, { undo, label = t("Undo"), drawing = "circle-check" } = {}) {
  const toast = document.createElement("div");
  toast.className = "toast";
  const words = document.createElement("span");
  words.textContent = text;
  toast.append(drawIcon(drawing), words);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      toast.remove();
      undo();
    });
    toast.append(button);
  }
  show(toast);
  return toast;
}

/**
 * Make a toast of a message of the page that offers to undo something.
 * @param {HTMLElement} notice marked with `data-undo`
 */
export function toastNotice(notice) {
  notice.className = "toast";
  notice.removeAttribute("role"); // the region around it is one
  show(notice);
}

function show(toast) {
  document.getElementById("toasts").append(toast);
  const hide = () => {
    if (toast.matches(":hover, :focus-within")) setTimeout(hide, SHOWN);
    else toast.remove();
  };
  setTimeout(hide, SHOWN);
}
