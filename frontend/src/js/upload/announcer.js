/** Announcements for screen readers through one role=status element, at a bounded rate. */

const PAUSE_MS = 1500;
const PROGRESS_EVERY_MS = 20000;

export class Announcer {
  #element;
  #sentences = [];
  #timer = null;
  #lastProgress = 0;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** Announce a sentence, together with others of the next moment. */
  say(sentence) {
    this.#sentences.push(sentence);
    this.#timer ??= setTimeout(() => {
      this.#element.textContent = this.#sentences.join(" ");
      this.#sentences = [];
      this.#timer = null;
    }, PAUSE_MS);
  }

  /** Announce progress, unless it was announced lately. */
  progress(sentence) {
    const now = performance.now();
    if (now - this.#lastProgress < PROGRESS_EVERY_MS) return;
    this.#lastProgress = now;
    this.say(sentence);
  }
}
