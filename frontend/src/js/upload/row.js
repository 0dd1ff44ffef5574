/** One file that is uploaded: its picture, text, progress bar and buttons. */
import { formatBytes, formatProgress, formatSpeed, formatTimeLeft } from "../format.js";
import { t } from "../i18n.js";
import { describeWait } from "./backoff.js";
import { Details } from "./details.js";
import { Editor } from "./editor.js";

/** For screen readers each button names its file. */
const LABELS = {
  cancel: (name) => t("Cancel: {name}", { name }),
  pause: (name) => t("Pause: {name}", { name }),
  resume: (name) => t("Resume: {name}", { name }),
  retry: (name) => t("Try again: {name}", { name }),
  dismiss: (name) => t("Dismiss: {name}", { name }),
  watch: (name) => t("Watch {name}", { name }),
};
const BUTTONS = Object.keys(LABELS);

export class Row {
  #parts = {};
  #reached = 0;
  #onLeave = () => {};
  #isDuplicateTold = false;

  /**
   * @param {HTMLTemplateElement} template
   * @param {File} file
   * @param {(changes: object) => void} onChange gets what was edited, and the server has not been told
   */
  constructor(template, file, onChange) {
    this.element = document.importNode(template.content, true).firstElementChild;
    for (const part of this.element.querySelectorAll("[data-part]")) {
      this.#parts[part.dataset.part] = part;
    }
    this.element.tabIndex = -1;
    this.file = file;
    this.details = new Details();
    this.editor = new Editor(this.#parts, this.details, onChange);
    const { name, bar, dismiss, details } = this.#parts;
    name.textContent = file.name;
    name.title = file.name;
    bar.setAttribute("aria-label", file.name);
    details.setAttribute("aria-label", file.name);
    for (const button of BUTTONS) this.#parts[button].setAttribute("aria-label", LABELS[button](file.name));
    dismiss.addEventListener("click", () => this.leave());
  }

  /** How much has arrived, in bytes. */
  get reached() {
    return this.#reached;
  }

  /** @param {"cancel" | "pause" | "resume" | "retry"} button @param {() => void} action */
  on(button, action) {
    this.#parts[button].addEventListener("click", action);
  }

  /** @param {() => void} action called when the row goes */
  onLeave(action) {
    this.#onLeave = action;
  }

  /** Open the editor, or close it. */
  unfold(open) {
    this.#parts.details.open = open;
  }

  /** @param {HTMLElement | null} picture */
  show(picture) {
    if (picture) this.#parts.picture.replaceChildren(picture);
  }

  /** The server's own picture. @param {string} address */
  poster(address) {
    if (this.#parts.picture.querySelector("img")) return;
    const image = new Image();
    image.alt = "";
    image.src = address;
    image.addEventListener("load", () => this.show(image));
  }

  waiting() {
    this.#show("cancel", "pause");
    this.#say(t("Waiting · {size}", { size: formatBytes(this.file.size) }));
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
    this.#say(t("Checking"));
  }

  paused() {
    this.#show("cancel", "resume");
    this.#say(t("Paused · {bytes}", { bytes: formatProgress(this.#reached, this.file.size) }));
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
    this.#say(t("You are signed out. Your upload is kept; sign in, then resume."), "bad");
    this.#parts.text.append(" ", signInLink());
  }

  /** Everything is on the server. @param {string | null} url of the video */
  uploaded(url) {
    this.#reach(this.file.size);
    this.#parts.watch.href = url ?? "/stream?whose=mine";
    this.#show("watch", "dismiss");
    this.#say(t("Uploaded."), "good");
  }

  /** How far the video is. @param {ReturnType<typeof import("./processing.js").describeState>} state */
  processed({ sentence, tone, percent }) {
    const { bar } = this.#parts;
    bar.classList.toggle("is-preparing", percent !== null);
    bar.value = percent === null ? 1 : percent / 100;
    bar.hidden = percent === null;
    this.#say(sentence, tone);
  }

  /** It cannot be watched, now or ever. */
  refused() {
    this.#show("dismiss");
    this.#close();
  }

  /** @param {string} sentence @param {{retry: boolean}} what */
  failed(sentence, { retry }) {
    this.#reach(0);
    this.#show(...(retry ? ["retry", "dismiss"] : ["dismiss"]));
    this.#say(sentence, "bad");
    if (!retry) this.#close();
  }

  /** Nothing becomes of it, so there is nothing to say of it. */
  #close() {
    this.#parts.details.hidden = true;
    this.#parts.duplicate.hidden = true;
    this.#parts.copy.hidden = true;
    this.#parts.bar.hidden = true;
  }

  /**
   * This file is a video already.
   * @param {import("./duplicates.js").Same} same @param {() => void} discard
   */
  duplicate(same, discard) {
    const { duplicate, same: link, keep, discard: button } = this.#parts;
    if (this.#isDuplicateTold) return;
    this.#isDuplicateTold = true;
    link.textContent = same.title;
    link.href = same.page;
    duplicate.hidden = false;
    keep.addEventListener("click", () => {
      duplicate.hidden = true;
      this.element.focus();
    });
    button.addEventListener("click", () => {
      duplicate.hidden = true;
      discard();
    });
  }

  /** Remove the row. */
  leave() {
    const next = this.element.nextElementSibling ?? this.element.previousElementSibling;
    this.element.remove();
    const button = next?.querySelector("button:not([hidden]), a:not([hidden])");
    (button ?? document.getElementById("file"))?.focus();
    this.#onLeave();
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
    const isGone = BUTTONS.some((name) => this.#parts[name] === focused) && focused.hidden;
    if (isGone) (this.#parts[names.at(-1)] ?? this.element).focus();
  }

  #say(sentence, tone = "") {
    this.#parts.text.textContent = sentence;
    this.#parts.text.className = `muted text ${tone}`.trim();
  }
}

/** In a new tab, so that the files chosen here are not lost. */
function signInLink() {
  const link = document.createElement("a");
  link.href = "/login?next=/upload";
  link.target = "_blank";
  link.textContent = t("Sign in (new tab)");
  return link;
}
