/** The list of unfinished uploads of the account. */
import { formatBytes, formatDay, formatProgress } from "../format.js";
import { t } from "../i18n.js";
import { fingerprintOf } from "./fingerprint.js";

export class UnfinishedList {
  #section;
  #list;
  #template;
  #uploadsApi;
  #announcer;
  #take;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.section
   * @param {HTMLTemplateElement} parts.template of an item
   * @param {import("./uploads-api.js").UploadsApi} parts.uploadsApi
   * @param {import("./announcer.js").Announcer} parts.announcer
   * @param {(files: File[]) => void} parts.take starts an upload with a file
   */
  constructor({ section, template, uploadsApi, announcer, take }) {
    this.#section = section;
    this.#list = section.querySelector("ul");
    this.#template = template;
    this.#uploadsApi = uploadsApi;
    this.#announcer = announcer;
    this.#take = take;
  }

  /** Load the list again. If that fails, the old one stays. */
  async refresh() {
    let uploads;
    try {
      uploads = await this.#uploadsApi.unfinished();
    } catch {
      return;
    }
    const focused = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...uploads.map((upload) => this.#item(upload)));
    this.#section.hidden = uploads.length === 0;
    if (focused)
      (this.#list.querySelector("button:not([hidden])") ?? document.getElementById("file")).focus();
  }

  #item(upload) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    const { name, bar, choose, file, discard, text } = Object.fromEntries(
      [...item.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
    const called = upload.file_name || upload.title;
    name.textContent = called;
    name.title = called;
    bar.setAttribute("aria-label", called);
    if (upload.length) bar.value = upload.offset / upload.length;
    text.textContent = describe(upload);
    // Uploads of other clients have no fingerprint to compare a file with.
    choose.hidden = !(upload.fingerprint && upload.length);
    choose.setAttribute("aria-label", t("Resume: {name}", { name: called }));
    choose.addEventListener("click", () => file.click());
    file.addEventListener("change", () => this.#goOn(upload, file, text));
    const button = discard.querySelector("button");
    button.setAttribute("aria-label", t("Discard: {name}", { name: called }));
    discard.action = `${upload.url}/discard`;
    discard.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#discard(upload, called, button);
    });
    return item;
  }

  async #goOn(upload, input, text) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const same = file.size === upload.length && (await readFingerprint(file)) === upload.fingerprint;
    if (same) {
      input.closest("li").remove();
      this.#section.hidden = this.#list.childElementCount === 0;
      this.#take([file]);
    } else {
      text.textContent = t("That is another file. Choose the one that this upload was started with.");
      text.classList.add("bad");
      this.#announcer.say(text.textContent);
    }
  }

  async #discard(upload, called, button) {
    button.disabled = true;
    try {
      await this.#uploadsApi.discard(upload.url);
      this.#announcer.say(t("{name}: Discarded.", { name: called }));
    } catch {
      this.#announcer.say(t("{name}: It could not be discarded. Try again.", { name: called }));
    }
    button.disabled = false;
    button.focus();
    await this.refresh();
  }
}

async function readFingerprint(file) {
  try {
    return await fingerprintOf(file);
  } catch {
    return null;
  }
}

function describe({ offset, length, expires_at }) {
  const received = length ? formatProgress(offset, length) : formatBytes(offset);
  return t("{bytes} received · kept until {day}", { bytes: received, day: formatDay(expires_at) });
}
