/**
 * Menus: `<details class="menu">`. They open without this script. With it they close by Escape, by a tap
 * elsewhere and when the focus leaves them, and on a phone they lie above everything else, as sheets.
 */

const phone = matchMedia("(width <= 45rem)");

const openMenus = () => document.querySelectorAll("details.menu[open]");
const panelOf = (menu) => menu.querySelector(":scope > :not(summary)");

/** Let the menus of the page close, also those that come later. */
export function enableMenus() {
  // A tap that closes a sheet must not also open what lies below it.
  let isClosing = false;

  document.addEventListener("pointerdown", ({ target }) => {
    isClosing = false;
    for (const menu of openMenus()) {
      if (menu.contains(target)) continue;
      menu.open = false;
      isClosing = phone.matches;
    }
  });
  document.addEventListener(
    "click",
    (event) => {
      if (!isClosing) return;
      isClosing = false;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") for (const menu of openMenus()) closeByKey(menu);
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const menu = target.closest?.("details.menu[open]");
    if (menu && relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
  });
  // `toggle` does not bubble.
  document.addEventListener(
    "toggle",
    ({ target }) => {
      if (target.matches("details.menu")) settle(target);
    },
    { capture: true },
  );
  phone.addEventListener("change", () => {
    for (const menu of openMenus()) menu.open = false;
  });
}

/** @param {HTMLDetailsElement} menu */
function closeByKey(menu) {
  const isInside = menu.contains(document.activeElement);
  menu.open = false;
  if (isInside) menu.querySelector("summary").focus();
}

/** Put the panel of a menu that has opened above the page, and take it back from there. */
function settle(menu) {
  const panel = panelOf(menu);
  if (menu.open && phone.matches && panel.showPopover) {
    panel.popover = "manual";
    panel.showPopover();
  } else if (panel.popover) {
    panel.popover = null;
  }
}
