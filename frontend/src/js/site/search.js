/** Suggestions below the search field while one types: a combobox with a list (ARIA Authoring Practices). */
import { t } from "../i18n.js";
import { drawIcon } from "./icon.js";

const WAIT_MS = 150;
const DRAWINGS = { video: "film", person: "user", tag: "tag", collection: "list-video" };

/** @param {HTMLInputElement | null} field of the search; null: the page has none */
export function suggestSearches(field) {
  if (!field) return;
  const list = document.createElement("ul");
  Object.assign(list, { id: "search-suggestions", className: "search-suggestions", hidden: true });
  list.setAttribute("role", "listbox");
  list.ariaLabel = t("Suggestions");
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.autocomplete = "off";
  let timer;
  let running = new AbortController();
  let active = -1;

  function choose(index) {
    active = index;
    for (const [number, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(number === index));
      if (number === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index < 0) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", list.children[index].id);
  }

  function show(suggestions) {
    list.replaceChildren(...suggestions.map(draw));
    list.hidden = suggestions.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
    choose(-1);
  }

  const close = () => {
    clearTimeout(timer);
    running.abort();
    show([]);
  };

  async function ask() {
    running = new AbortController();
    const answer = await fetch(`/api/videos/suggestions?q=${encodeURIComponent(field.value)}`, {
      signal: running.signal,
    });
    if (answer.ok) show((await answer.json()).suggestions);
  }

  field.setAttribute("aria-expanded", "false");
  field.addEventListener("input", () => {
    clearTimeout(timer);
    running.abort();
    if (field.value.trim() === "") close();
    else timer = setTimeout(() => ask().catch(() => {}), WAIT_MS);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One place more than there are suggestions: the field itself.
      choose(((active + 1 + step + count + 1) % (count + 1)) - 1);
    } else if (event.key === "Escape") {
      event.preventDefault(); // it would empty the field
      close();
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      list.children[active].click();
    }
  });
  field.addEventListener("blur", close);
  // The field keeps the focus while a suggestion is pressed.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
}

function draw({ kind, text, url }, index) {
  const option = document.createElement("li");
  option.id = `search-suggestion-${index}`;
  option.setAttribute("role", "option");
  option.dataset.url = url;
  const words = document.createElement("span");
  words.dir = "auto";
  words.textContent = text;
  const what = document.createElement("span");
  what.className = "muted";
  what.textContent =
    { video: "", person: t("Person"), tag: t("Tag"), collection: t("Collection") }[kind] ?? "";
  option.append(drawIcon(DRAWINGS[kind] ?? "search"), words, what);
  return option;
}
