/** One file on the upload page: what is shown about it, and its buttons. */
import { formatBytes, formatProgress, formatSpeed, formatTimeLeft } from "../format.js";
import { describeWait } from "./backoff.js";

const BUTTONS = ["cancel", "pause", "resume", "retry", "dismiss", "edit", "watch"];

export class Row {
  #parts = {};
  #reached = 0;

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
    const { name, bar, dismiss } = this.#parts;
    name.textContent = file.name;
    name.title = file.name;
    bar.setAttribute("aria-label", file.name);
    // "Cancel" alone says nothing to somebody who hears one button after the other.
    for (const button of BUTTONS.map((name) => this.#parts[name])) {
      const separator = button.tagName === "A" ? " " : ": ";
      button.setAttribute("aria-label", `${button.textContent.trim()}${separator}${file.name}`);
    }
    dismiss.addEventListener("click", () => this.#leave());
  }

  /** @param {"cancel" | "pause" | "resume" | "retry"} button @param {() => void} action */
  on(button, action) {
    this.#parts[button].addEventListener("click", action);
  }

  waiting() {
    this.#show("cancel", "pause");
    this.#say(`Waiting · ${formatBytes(this.file.size)}`);
  }

  /** @param {number} bytes @param {import("./pace.js").Pace} pace */
  sending(bytes, pace) {
    const { size } = this.file;
    const speed = pace.speed();
    const left = pace.timeLeft(size - bytes);
    this.#reach(bytes);
    this.#show("cancel", "pause");
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

  /** Too late to stop: the server has it all. */
  checking() {
    this.#reach(this.file.size);
    this.#show();
    this.#parts.bar.classList.add("waiting");
    this.#say("Checking");
  }

  paused() {
    this.#show("cancel", "resume");
    this.#say(`Paused · ${formatProgress(this.#reached, this.file.size)}`);
  }

  /** @param {string} sentence what is wrong @param {number} seconds until the next attempt */
  interrupted(sentence, seconds) {
    this.#show("cancel", "pause", "retry");
    this.#say(describeWait(sentence, seconds), "bad");
  }

  signedOut() {
    // Said once, so that the link stays under the hand of whoever is about to follow it.
    if (this.#parts.text.querySelector("a")) return;
    this.#show("cancel", "resume");
    this.#say("You are signed out. What has arrived is kept. ", "bad");
    this.#parts.text.append(signInLink(), ", then resume.");
  }

  /** @param {string | null} url of the video */
  done(url) {
    this.#reach(this.file.size);
    this.#parts.watch.href = url ?? "/stream?whose=mine";
    this.#parts.edit.href = `${url}/edit`;
    this.#show(...(url ? ["edit", "watch"] : ["watch"]));
    this.#say("Done. It can be watched now.", "good");
  }

  /** @param {string} sentence @param {{retry: boolean}} what */
  failed(sentence, { retry }) {
    this.#reach(0);
    this.#show(...(retry ? ["retry", "dismiss"] : ["dismiss"]));
    this.#say(sentence, "bad");
  }

  #reach(bytes) {
    this.#reached = bytes;
    this.#parts.bar.value = bytes / this.file.size;
  }

  #show(...names) {
    this.#parts.bar.classList.remove("waiting");
    const focused = document.activeElement;
    for (const name of BUTTONS) this.#parts[name].hidden = !names.includes(name);
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
