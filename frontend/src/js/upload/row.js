/** One file on the upload page: what is shown about it, and its buttons. */
import { formatBytes, formatProgress, formatSpeed, formatTimeLeft } from "../format.js";

export class Row {
  #parts = {};

  /**
   * @param {HTMLTemplateElement} template
   * @param {File} file
   */
  constructor(template, file) {
    this.element = template.content.firstElementChild.cloneNode(true);
    for (const part of this.element.querySelectorAll("[data-part]")) {
      this.#parts[part.dataset.part] = part;
    }
    this.element.tabIndex = -1;
    this.file = file;
    const { name, bar, cancel, retry, dismiss } = this.#parts;
    name.textContent = file.name;
    name.title = file.name;
    bar.setAttribute("aria-label", file.name);
    // "Cancel" alone says nothing to somebody who hears one button after the other.
    for (const button of [cancel, retry, dismiss]) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${file.name}`);
    }
    dismiss.addEventListener("click", () => this.#leave());
  }

  onCancel(action) {
    this.#parts.cancel.addEventListener("click", action);
  }

  onRetry(action) {
    this.#parts.retry.addEventListener("click", action);
  }

  waiting() {
    this.#parts.bar.value = 0;
    this.#show("cancel");
    this.#say(`Waiting · ${formatBytes(this.file.size)}`);
  }

  /** @param {number} bytes @param {import("./pace.js").Pace} pace */
  sending(bytes, pace) {
    const { size } = this.file;
    const speed = pace.speed();
    const left = pace.timeLeft(size - bytes);
    this.#parts.bar.value = bytes / size;
    this.#show("cancel");
    this.#say(
      [
        formatProgress(bytes, size),
        speed !== null && formatSpeed(speed),
        left !== null && formatTimeLeft(left),
      ]
        .filter(Boolean)
        .join(" · "),
    );
  }

  /** Too late to cancel: the server has it all. */
  checking() {
    this.#parts.bar.value = 1;
    this.#show();
    this.#parts.bar.classList.add("waiting");
    this.#say("Checking");
  }

  /** @param {{url: string}} video */
  done({ url }) {
    this.#parts.bar.value = 1;
    this.#parts.watch.href = url;
    this.#parts.edit.href = `${url}/edit`;
    this.#parts.watch.setAttribute("aria-label", `Watch ${this.file.name}`);
    this.#parts.edit.setAttribute("aria-label", `Edit ${this.file.name}`);
    this.#show("edit", "watch");
    this.#say("Done. It can be watched now.", "good");
  }

  /** @param {string} sentence @param {{retry: boolean, signedOut?: boolean}} what */
  failed(sentence, { retry, signedOut = false }) {
    this.#parts.bar.value = 0;
    this.#show(...(retry ? ["retry", "dismiss"] : ["dismiss"]));
    this.#say(sentence, "bad");
    if (signedOut) this.#parts.text.append(" ", signInLink(), ", then try again.");
  }

  #show(...names) {
    this.#parts.bar.classList.remove("waiting");
    const focused = document.activeElement;
    for (const name of ["cancel", "retry", "dismiss", "edit", "watch"]) {
      this.#parts[name].hidden = !names.includes(name);
    }
    // Whoever stood on a button that went away stands on the one that took its place.
    if (this.element.contains(focused) && focused.hidden) (this.#parts[names.at(-1)] ?? this.element).focus();
  }

  #say(sentence, tone = "") {
    this.#parts.text.textContent = sentence;
    this.#parts.text.className = `quiet text ${tone}`.trim();
  }

  #leave() {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    (next?.querySelector("button:not([hidden]), a:not([hidden])") ?? document.getElementById("file")).focus();
  }
}

/** In a new tab, so that the files chosen here are not lost. */
function signInLink() {
  const link = document.createElement("a");
  link.href = "/login?next=/upload";
  link.target = "_blank";
  link.textContent = "Sign in (new tab)";
  return link;
}
