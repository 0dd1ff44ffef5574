/** The part of a row in which somebody says what the video is, who can watch it, and where it goes. */
import { t } from "../i18n.js";
import { enableCopy } from "../site/copy.js";
import { ChangeRefused } from "./details.js";

/** Milliseconds after the last key until what was typed is told. */
const PAUSE_MS = 600;

let count = 0;

export class Editor {
  #parts;
  #details;
  #onChange;
  #people = [];
  #timer;

  /**
   * @param {Record<string, HTMLElement>} parts of the row
   * @param {import("./details.js").Details} details
   * @param {(changes: object) => void} onChange gets what the server has not been told
   */
  constructor(parts, details, onChange) {
    this.#parts = parts;
    this.#details = details;
    this.#onChange = onChange;
    count += 1;
    for (const name of ["title", "description", "visibility", "person", "collection"]) {
      if (!parts[name]) continue;
      parts[name].id = `${name}-${count}`;
      parts[name].closest(".field").querySelector("label").htmlFor = parts[name].id;
    }
    parts.suggestions.id = `suggestions-${count}`;
    parts.person.setAttribute("list", parts.suggestions.id);
    this.#listen();
    this.#summarise();
  }

  #listen() {
    const { title, description, visibility, collection, person, add } = this.#parts;
    for (const [name, field] of Object.entries({ title, description })) {
      field.addEventListener("input", () => {
        this.#details.change({ [name]: field.value });
        this.#later();
      });
      field.addEventListener("change", () => this.save());
    }
    visibility.addEventListener("change", () => {
      this.#summarise();
      this.#tell({ visibility: visibility.value });
    });
    collection?.addEventListener("change", () =>
      this.#tell({ collections: collection.value ? [collection.value] : [] }),
    );
    add.addEventListener("click", () => this.#add());
    person.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#add();
    });
  }

  /** Fill the fields with what the server knows. */
  fill({ title, description = "", visibility, collections = [] }) {
    const parts = this.#parts;
    parts.title.value = title;
    parts.description.value = description;
    // Else it is what the settings of the site say, as the page has it.
    if (visibility) parts.visibility.value = visibility;
    if (parts.collection) parts.collection.value = collections[0] ?? "";
    this.#show(this.#details.people);
    this.#summarise();
  }

  /** Fill the fields with what was typed on an earlier page, and not told. */
  refill({ people, collections, ...texts }) {
    for (const [name, value] of Object.entries(texts)) this.#parts[name].value = value;
    if (collections && this.#parts.collection) this.#parts.collection.value = collections[0] ?? "";
    if (people) this.#show(people);
    this.#summarise();
  }

  /** The address of the video is known. @param {string} address */
  link(address) {
    const { copy, link } = this.#parts;
    if (!copy.hidden) return;
    link.value = address;
    copy.hidden = false;
    enableCopy(copy, link);
  }

  #add() {
    const { person } = this.#parts;
    const name = person.value.trim();
    if (!name) return person.focus();
    person.value = "";
    if (this.#people.some((one) => one.name === name)) return;
    this.#show([...this.#people, { name, anyone: name }]);
    this.#tell({ people: this.#people });
  }

  #remove(person) {
    this.#show(this.#people.filter((one) => one !== person));
    this.#parts.person.focus();
    this.#tell({ people: this.#people });
  }

  #show(people) {
    this.#people = people;
    this.#parts.people.hidden = people.length === 0;
    this.#parts.people.replaceChildren(...people.map((person) => this.#chip(person)));
    this.#summarise();
  }

  #chip(person) {
    const chip = this.#parts.chip.content.firstElementChild.cloneNode(true);
    chip.querySelector("bdi").textContent = person.name;
    const button = chip.querySelector("button");
    button.setAttribute("aria-label", t("Remove {name}", { name: person.name }));
    button.addEventListener("click", () => this.#remove(person));
    return chip;
  }

  #summarise() {
    const { summary, visibility } = this.#parts;
    const names = this.#people.map(({ name }) => name);
    summary.textContent = [visibility.selectedOptions[0]?.textContent.trim(), ...names].join(" · ");
  }

  #later() {
    this.#parts.saved.textContent = "";
    this.#onChange(this.#details.waiting);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), PAUSE_MS);
  }

  #tell(changes) {
    this.#parts.saved.textContent = ""; // what is said there is about the change before
    this.#details.change(changes);
    this.save();
  }

  /** Tell the server what has been changed, and say so. Without a connection it waits for the next change. */
  async save() {
    clearTimeout(this.#timer);
    this.#onChange(this.#details.waiting);
    const { problem, saved } = this.#parts;
    const hadPeople = "people" in this.#details.waiting;
    try {
      const isSaved = await this.#details.save();
      problem.hidden = true;
      if (isSaved) saved.textContent = t("Saved");
    } catch (error) {
      saved.textContent = "";
      if (error instanceof ChangeRefused) {
        problem.textContent = error.message;
        problem.hidden = false;
        if (hadPeople) this.#show(this.#details.people);
      }
    }
    this.#onChange(this.#details.waiting);
  }
}
