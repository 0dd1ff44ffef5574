/**
 * Names and roles that the theme leaves out: of its search, which it makes when a page is ready, of
 * tables that scroll, and of the buttons beside code.
 */

function name(element, label) {
  if (element && !element.getAttribute("aria-label")) element.setAttribute("aria-label", label);
}

function completeSearch(root) {
  const [open, filter] = root.querySelectorAll("button");
  name(open, "Search");
  name(filter, "Filters");
  const field = root.querySelector("input");
  name(field, "Search");
  if (field?.getAttribute("role") === "combobox") field.setAttribute("role", "searchbox");
  for (const part of root.querySelectorAll("div")) {
    if (/auto|scroll/.test(getComputedStyle(part).overflowY)) part.tabIndex = 0;
  }
}

function completePage() {
  // Their text is within them; a label takes no name besides.
  for (const label of document.querySelectorAll("label[aria-label]")) label.removeAttribute("aria-label");
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0;
  for (const bar of document.querySelectorAll(".md-code__nav")) bar.setAttribute("role", "none");
  const host = [...document.body.children].find((element) => element.shadowRoot);
  if (!host) return;
  host.setAttribute("role", "search");
  // The theme writes where a result is too faintly to be read.
  const contrast = new CSSStyleSheet();
  contrast.replaceSync("menu { color: rgb(var(--color-foreground) / 0.7) !important; }");
  host.shadowRoot.adoptedStyleSheets.push(contrast);
  completeSearch(host.shadowRoot);
  new MutationObserver(() => completeSearch(host.shadowRoot)).observe(host.shadowRoot, {
    childList: true,
    subtree: true,
  });
}

window.addEventListener("load", () => setTimeout(completePage));
