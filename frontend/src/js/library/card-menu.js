/** The menu of a card: copying its link, adding it to a collection, and the bin, without leaving the page. */
import { t } from "../i18n.js";
import { toast } from "../site/toast.js";
import { fadeOut, updateCount } from "./cards.js";
import { askForCollection } from "./collect.js";

const idOf = (part) => part.closest("[data-video]").dataset.video;
const close = (part) => {
  part.closest("details").open = false;
};
const failed = () =>
  toast(t("That did not work. Reload the page, and try again."), { drawing: "triangle-alert" });

/** Let the menus of the cards of the page work, also of those that come later. */
export function enableCardMenus() {
  show(document);
  document.addEventListener("click", ({ target }) => fill(target), { capture: true });
  document.addEventListener("click", async (event) => {
    const copying = event.target.closest?.("[data-copy-link]");
    const collecting = event.target.closest?.("a[data-collect]");
    if (copying) {
      close(copying);
      const done = await copy(new URL(copying.dataset.copyLink, location.href).href);
      toast(done ? t("The link is copied.") : t("This browser does not let the page copy."), {
        drawing: done ? "circle-check" : "triangle-alert",
      });
    }
    if (collecting && !event.ctrlKey && !event.metaKey && askForCollection(idOf(collecting))) {
      event.preventDefault();
      close(collecting);
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-bin]")) return;
    event.preventDefault();
    close(event.target);
    bin(idOf(event.target)).catch(failed);
  });
}

/** In a page that was fetched, the list of a menu waits in a template: most are never opened. */
function fill(target) {
  const menu = target.closest?.(".card-menu > summary")?.parentElement;
  const waiting = menu?.querySelector("template");
  if (!waiting) return;
  waiting.replaceWith(waiting.content);
  show(menu);
}

/** What only a script can do is hidden at first. */
function show(part) {
  for (const button of part.querySelectorAll("[data-copy-link]")) button.parentElement.hidden = false;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP, which a home network often is, the other way is all there is.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

async function bin(id) {
  const answer = await fetch(`/api/videos/${id}`, { method: "DELETE" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const cards = [...document.querySelectorAll(`.video-card[data-video="${id}"]`)];
  const places = cards.map((card) => ({ card, parent: card.parentElement, before: card.nextElementSibling }));
  await fadeOut(cards);
  updateCount(-1);
  toast(t("The video is in the bin."), {
    label: t("Undo"),
    undo: () => restore(id, places).catch(failed),
  });
}

async function restore(id, places) {
  const answer = await fetch(`/api/videos/${id}/restore`, { method: "POST" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  for (const { card, parent, before } of places) {
    for (const animation of card.getAnimations()) animation.cancel();
    parent.insertBefore(card, before?.parentElement === parent ? before : null);
  }
  updateCount(1);
}
