/**
 * Share links: their forms are sent without leaving the page, and the section of links is replaced by that
 * of the answer. Without this script every form leads to a page.
 */
import { enableCopy } from "./copy.js";

/** Let the buttons of a part of the page copy. */
function enableButtons(part) {
  for (const button of part.querySelectorAll("button[data-copy]")) {
    enableCopy(button, document.getElementById(button.dataset.copy));
    button.hidden = false;
  }
}

/** Fetch a page, and show its section of links in place of this one. */
async function replace(section, address, options) {
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.querySelector("[data-links]");
  if (!found) {
    // Signed out, or an error: the page itself says so.
    location.assign(answer.redirected ? answer.url : location.href);
    return;
  }
  const fresh = document.adoptNode(found);
  section.replaceWith(fresh);
  enableButtons(fresh);
  const heading = fresh.querySelector("h1, h2");
  const next = fresh.querySelector("[data-focus]") ?? heading;
  if (next === heading) heading.tabIndex = -1;
  next.focus();
}

/** Send the forms of links, and open what belongs to them, where there is a section of links. */
export function enableLinks() {
  enableButtons(document);
  // Before other listeners of the page: a dialog sends its own forms.
  document.addEventListener(
    "submit",
    async (event) => {
      const form = event.target;
      const section = form.closest("[data-links]");
      if (!section || !form.matches("[data-links-form]")) return;
      event.preventDefault();
      event.stopPropagation();
      const body = new URLSearchParams(new FormData(form));
      try {
        await replace(section, form.action, { method: "POST", body });
      } catch {
        form.submit();
      }
    },
    { capture: true },
  );
  // Opened by hand: what is typed next goes into the form. `toggle` does not bubble.
  document.addEventListener(
    "toggle",
    ({ target }) => {
      if (!target.open || !target.matches("[data-links] details")) return;
      if (!target.contains(document.activeElement)) return;
      target.querySelector("input:not([type=hidden])").focus();
    },
    { capture: true },
  );
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-links-open]");
    const section = link?.closest("[data-links]");
    if (!section || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      await replace(section, link.href, {});
    } catch {
      location.assign(link.href);
    }
  });
}
