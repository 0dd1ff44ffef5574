/** One file on the upload page: text, progress bar and buttons. */
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
    // For screen readers each button names its file.
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

  /** @param {number} bytes @param {import("./speed.js").SpeedMeter} speedMeter */
  sending(bytes, speedMeter) {
    const { size } = this.file;
    const speed = speedMeter.speed();
    const left = speedMeter.timeLeft(size - bytes);
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

  /** The server has received everything and checks it. */
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
    // Only once, so that the link is not replaced while the user clicks it.
    if (this.#parts.text.querySelector("a")) return;
    this.#show("cancel", "resume");
    this.#say("You are signed out. Your upload is kept. ", "bad");
    this.#parts.text.append(signInLink(), ", then resume.");
  }

  /** Everything is on the server. @param {string | null} url of the video */
  uploaded(url) {
    this.#reach(this.file.size);
    this.#parts.watch.href = url ?? "/stream?whose=mine";
    this.#parts.edit.href = `${url}/edit`;
    this.#show(...(url ? ["edit", "watch"] : ["watch"]));
    this.#say("Uploaded.", "good");
  }

  /** How far the video is. @param {string} sentence @param {"good" | "bad"} tone */
  processed(sentence, tone) {
    this.#say(sentence, tone);
  }

  /** @param {string} sentence @param {{retry: boolean}} what */
  failed(sentence, { retry }) {
    this.#reach(0);
    this.#show(...(retry ? ["retry", "dismiss"] : ["dismiss"]));
    this.#say(sentence, "bad");
  }

  #reach(bytes) {
    this.#reached = bytes;
    // An empty file is rejected, but has a row that says so.
    this.#parts.bar.value = this.file.size > 0 ? bytes / this.file.size : 0;
  }

  #show(...names) {
    this.#parts.bar.classList.remove("waiting");
    const focused = document.activeElement;
    for (const name of BUTTONS) this.#parts[name].hidden = !names.includes(name);
    // Move the focus from a button that disappeared to the one that replaced it.
    if (this.element.contains(focused) && focused.hidden) (this.#parts[names.at(-1)] ?? this.element).focus();
  }

  #say(sentence, tone = "") {
    this.#parts.text.textContent = sentence;
    this.#parts.text.className = `muted text ${tone}`.trim();
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
