/**
 * Selecting several videos: by a button, by the box that shows on hover, or by a long press. The form at the lower
 * edge changes them all at once, without leaving the page.
 */
import { t, tn } from "../i18n.js";
import { toast } from "../site/toast.js";
import { fadeOut, updateCount } from "./cards.js";
import { range } from "./range.js";

const LONG_PRESS_MS = 450;
const MOVED = 10; // pixels that end a long press

/**
 * @param {HTMLElement} list of the cards
 * @param {{refresh: () => Promise<void>}} pages shows the list anew
 */
export function enableSelection(list, pages) {
  const form = document.getElementById("selection");
  if (!form) return;
  const limit = Number(form.dataset.limit);
  const count = document.getElementById("selection-count");
  const all = document.getElementById("selection-all");
  const empty = count.textContent;
  let last = null; // the box that was ticked last

  const boxes = () => [...list.querySelectorAll(".tick input")];
  const ticked = () => boxes().filter((box) => box.checked);
  const isOn = () => list.classList.contains("selecting");

  function update() {
    const number = ticked().length;
    count.textContent = number > 0 ? tn("{n} video is selected.", "{n} videos are selected.", number) : empty;
    for (const part of form.querySelectorAll("button[name=do], summary")) {
      if (part.matches("summary")) part.classList.toggle("is-disabled", number === 0);
      else part.disabled = number === 0;
    }
    for (const box of boxes()) box.closest("li").classList.toggle("is-selected", box.checked);
  }

  function turn(on) {
    list.classList.toggle("selecting", on);
    form.hidden = !on;
    document.documentElement.classList.toggle("is-selecting", on);
    if (!on) {
      for (const box of boxes()) box.checked = false;
      last = null;
    }
    update();
  }

  /** Tick a box as it is, and with Shift all those between it and the one before. */
  function tick(box, { shift = false } = {}) {
    if (!isOn()) turn(true);
    const between = shift && last ? range(boxes(), last, box) : [box];
    for (const one of between) one.checked = box.checked;
    const surplus = ticked().slice(limit);
    for (const one of surplus) one.checked = false;
    if (surplus.length > 0) {
      toast(tn("{n} video can be changed at once.", "{n} videos can be changed at once.", limit), {
        drawing: "info",
      });
    }
    last = box;
    update();
  }

  for (const link of document.querySelectorAll("[data-select]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      turn(!isOn());
      if (isOn()) boxes()[0]?.focus({ preventScroll: true });
    });
  }
  form.querySelector("[data-select-end]").addEventListener("click", (event) => {
    event.preventDefault();
    turn(false);
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open], dialog[open]");
    if (event.key === "Escape" && isOn() && !menu) turn(false);
  });
  all.hidden = false;
  all.addEventListener("click", () => {
    const shown = boxes().slice(0, limit);
    for (const box of shown) box.checked = true;
    update();
  });
  list.addEventListener("click", (event) => {
    if (event.target.matches(".tick input")) {
      tick(event.target, { shift: event.shiftKey });
      return;
    }
    // While videos are selected, a card is ticked and not opened.
    const box = event.target.closest("li")?.querySelector(".tick input");
    if (!isOn() || !box || event.target.closest(".tick, .menu, form")) return;
    event.preventDefault();
    box.checked = !box.checked;
    tick(box, { shift: event.shiftKey });
  });
  enableLongPress(list, (card) => {
    const box = card.querySelector(".tick input");
    box.checked = true;
    tick(box);
  });
  document.addEventListener("matinee:cards", update);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const ids = ticked().map((box) => box.value);
    const body = new URLSearchParams(new FormData(form, event.submitter));
    send(body, ids).then((changed) => {
      if (changed) turn(false);
    });
  });

  /** @returns {Promise<boolean>} whether something was done */
  async function send(body, ids) {
    for (const menu of form.querySelectorAll("details[open]")) menu.open = false;
    const answer = await post(body);
    if (!answer) return false;
    const { changed, refused } = answer;
    if (body.get("do") === "delete") {
      await remove(changed);
    } else {
      if (body.get("do") === "visibility") await pages.refresh();
      if (changed.length > 0) toast(tn("{n} video was changed.", "{n} videos were changed.", changed.length));
    }
    if (refused > 0) {
      toast(
        tn(
          "{n} video was not changed: not yours to change, or done already.",
          "{n} videos were not changed: not yours to change, or done already.",
          refused,
        ),
        { drawing: "triangle-alert" },
      );
    }
    return changed.length > 0 || ids.length === 0;
  }

  async function remove(ids) {
    if (ids.length === 0) return;
    const gone = new Set(ids);
    await fadeOut(
      [...document.querySelectorAll(".video-card")].filter((card) => gone.has(card.dataset.video)),
    );
    updateCount(-ids.length);
    toast(tn("{n} video is in the bin.", "{n} videos are in the bin.", ids.length), {
      label: t("Undo"),
      undo: async () => {
        const body = new URLSearchParams([["do", "restore"], ...ids.map((id) => ["video", id])]);
        const restored = await post(body);
        if (!restored) return;
        updateCount(restored.changed.length);
        await pages.refresh();
      },
    });
  }
  turn(isOn());
  list.dataset.selectable = "";
}

/** @returns {Promise<{changed: string[], refused: number} | null>} null if it did not work, which is said */
async function post(body) {
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch("/stream/selection", { method: "POST", body, headers });
    const found = await answer.json();
    if (answer.ok) return found;
    toast(found.error, { drawing: "triangle-alert" });
  } catch {
    toast(t("The server does not answer. Nothing was changed."), { drawing: "triangle-alert" });
  }
  return null;
}

/** Call back with a card on which a finger rests. */
function enableLongPress(list, pressed) {
  let timer;
  let start;
  const end = () => clearTimeout(timer);
  list.addEventListener("pointerdown", (event) => {
    const card = event.target.closest("li[data-video]");
    if (event.pointerType !== "touch" || !card || event.target.closest(".tick, .menu")) return;
    start = event;
    timer = setTimeout(() => {
      start = null;
      pressed(card);
      navigator.vibrate?.(10);
      // The finger is lifted later: that is not a tap.
      list.addEventListener("click", swallow, { capture: true, once: true });
      addEventListener(
        "pointerup",
        () => setTimeout(() => list.removeEventListener("click", swallow, true), LONG_PRESS_MS),
        { once: true },
      );
    }, LONG_PRESS_MS);
  });
  list.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (start && Math.hypot(clientX - start.clientX, clientY - start.clientY) > MOVED) end();
  });
  for (const name of ["pointerup", "pointercancel"]) list.addEventListener(name, end);
  // The browser's own menu of the link.
  list.addEventListener("contextmenu", (event) => {
    if (event.pointerType === "touch" && event.target.closest("li[data-video]")) event.preventDefault();
  });
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}
