/** What forms get from a script: a button that shows the password, and one that says that it was pressed. */
import { t } from "../i18n.js";
import { drawIcon } from "./icon.js";

/** Give password fields marked with `data-reveal` a button that shows what was typed. */
export function enableReveal() {
  for (const input of document.querySelectorAll("input[type=password][data-reveal]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-controls", input.id);
    const set = (isShown) => {
      input.type = isShown ? "text" : "password";
      const words = isShown ? t("Hide what was typed") : t("Show what was typed");
      button.setAttribute("aria-label", words);
      button.title = words;
      button.replaceChildren(drawIcon(isShown ? "eye-off" : "eye"));
    };
    button.addEventListener("click", () => set(input.type === "password"));
    // What is sent, and kept by the browser, is a password again.
    input.form?.addEventListener("submit", () => set(false));
    set(false);
    const hadFocus = document.activeElement === input || input.autofocus;
    const box = document.createElement("div");
    box.className = "with-button";
    input.replaceWith(box);
    box.append(input, button);
    if (hadFocus) input.focus();
  }
}

/** Say of a button that what it sends is on its way, until the next page is there. */
export function markBusy() {
  addEventListener("submit", (event) => {
    const { submitter, target } = event;
    if (event.defaultPrevented || !submitter || target.method !== "post") return;
    submitter.ariaBusy = "true";
  });
  // Back from the browser's cache.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    for (const button of document.querySelectorAll("button[aria-busy=true]")) button.ariaBusy = null;
  });
}

/** Press the search key "/" to search, and Escape to leave the search of a narrow bar. */
export function enableSearchKey() {
  document.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "/" && plain && document.activeElement === document.body) {
      const search = document.querySelector('input[type="search"]');
      if (search) {
        event.preventDefault();
        search.select();
      }
    }
    if (event.key === "Escape" && document.activeElement.matches(".site-header [type=search]")) {
      if (document.activeElement.value === "") document.activeElement.blur();
    }
  });
}
