/**
 * The settings menu: a list of sections, and a list of choices for each.
 *
 * Labels may come from other users, who uploaded captions, so they are always set as text.
 */
import iconUrl from "static:icons.svg";
import { t } from "../i18n.js";

/** Where the settings are a sheet at the bottom of the page. */
const NARROW = matchMedia("(width < 40rem)");

let count = 0;

/**
 * @param {object[]} sections
 * @param {string} sections[].name "Quality"
 * @param {() => {value: unknown, label: string, note?: string, checked: boolean}[]} sections[].choices
 *   fewer than two hide the section
 * @param {(value: unknown) => void} sections[].choose
 */
export function makeMenu(sections) {
  const id = `settings-${++count}`;
  const listeners = [];
  const button = makeButton(t("Settings"), "settings");
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-controls", id);
  const panel = element("div", "settings-panel", { id });
  panel.hidden = true;
  const root = element("div", "plyr__controls__item settings");
  root.append(button, panel);
  let shown = null; // a section, or null for the list of them

  const offered = () => sections.filter((section) => section.choices().length > 1);

  /** Draw the menu; the focus stays on the entry that had it. */
  function draw({ focus } = {}) {
    const held = panel.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    if (shown && !offered().includes(shown)) shown = null;
    const menu = element("div", "", { role: "menu", "aria-label": shown ? shown.name : t("Settings") });
    menu.append(...(shown ? choiceItems(shown) : sectionItems()));
    panel.replaceChildren(...(shown ? [backButton(shown)] : []), menu);
    root.hidden = offered().length === 0;
    const wanted = focus ?? held;
    if (wanted === undefined || wanted === null) return;
    const target = [...panel.querySelectorAll("[data-key]")].find((item) => item.dataset.key === wanted);
    (target ?? panel.querySelector('[aria-checked="true"], [role^="menuitem"]'))?.focus();
  }

  function sectionItems() {
    return offered().map((section) => {
      const current = section.choices().find((choice) => choice.checked);
      const item = element("button", "plyr__control settings-item", { type: "button", role: "menuitem" });
      item.setAttribute("aria-haspopup", "menu");
      item.dataset.key = section.name;
      item.append(
        element("span", "", {}, section.name),
        element("span", "current-value", { dir: "auto" }, current?.label ?? ""),
        icon("chevron-right"),
      );
      item.addEventListener("click", () => {
        shown = section;
        draw({ focus: "" });
      });
      return item;
    });
  }

  function choiceItems(section) {
    return section.choices().map(({ value, label, note, checked }) => {
      const item = element("button", "plyr__control settings-item", {
        type: "button",
        role: "menuitemradio",
      });
      item.setAttribute("aria-checked", String(checked));
      item.dataset.key = String(value);
      item.append(icon("check"), element("span", "", { dir: "auto" }, label));
      if (note) item.append(element("span", "current-value", {}, note));
      item.addEventListener("click", () => {
        section.choose(value);
        shown = null;
        draw({ focus: section.name });
      });
      return item;
    });
  }

  function backButton(section) {
    const back = element("button", "plyr__control back", { type: "button" });
    back.append(icon("chevron-left"), element("span", "", {}, section.name));
    back.append(element("span", "plyr__sr-only", {}, ` – ${t("back to all settings")}`));
    back.addEventListener("click", goBack);
    return back;
  }

  function goBack() {
    const name = shown.name;
    shown = null;
    draw({ focus: name });
  }

  function open() {
    shown = null;
    panel.hidden = false;
    if (NARROW.matches && panel.showPopover) {
      panel.popover = "manual"; // above the page, where it may be larger than the player
      panel.showPopover();
    }
    button.setAttribute("aria-expanded", "true");
    draw({ focus: "" });
  }

  function close({ refocus = false } = {}) {
    if (panel.hidden) return;
    panel.popover = null;
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  }

  function move(event) {
    const items = [...panel.querySelectorAll('[role^="menuitem"]')];
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowDown: (at + 1) % items.length,
      ArrowUp: (at <= 0 ? items.length : at) - 1,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (to !== undefined) items[to].focus();
    else if (event.key === "ArrowRight" && !shown && at >= 0) items[at].click();
    else if (event.key === "ArrowLeft" && shown) goBack();
    else if (event.key === "Escape") close({ refocus: true });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  button.addEventListener("click", () => (panel.hidden ? open() : close()));
  panel.addEventListener("keydown", move);
  root.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget)) close();
  });
  addEventListener("pointerdown", (event) => {
    if (!root.contains(event.target)) close();
  });
  draw();
  return {
    element: root,
    close,
    /** Draw again after the choices, or the chosen one, have changed. */
    refresh() {
      draw();
      for (const listener of listeners) listener();
    },
    /** Call a listener now and at each refresh. */
    onRefresh(listener) {
      listeners.push(listener);
      listener();
    },
  };
}

/**
 * A button of the bar.
 * @param {string} name
 * @param {string} iconName
 */
export function makeButton(name, iconName) {
  const button = element("button", "plyr__control plyr__controls__item", { type: "button" });
  button.append(icon(iconName), element("span", "plyr__sr-only", {}, name));
  return button;
}

function element(tag, className, attributes = {}, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${iconUrl}#${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  svg.classList.add("icon");
  svg.append(use);
  return svg;
}
