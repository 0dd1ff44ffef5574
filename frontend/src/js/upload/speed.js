/** Speed and time left, from the bytes of the last few seconds. */

const WINDOW_MS = 6000;
const SHORTEST_MS = 500;

export class SpeedMeter {
  /** @type {{at: number, bytes: number}[]} */
  #marks = [];

  /**
   * Note how many bytes have been sent in all.
   * @param {number} at a clock in milliseconds that only goes forward
   * @param {number} bytes
   */
  note(at, bytes) {
    const last = this.#marks.at(-1);
    if (last && bytes < last.bytes) this.#marks = [];
    this.#marks.push({ at, bytes });
    // One mark older than the window stays, so that the window is always covered.
    while (this.#marks.length > 2 && this.#marks[1].at <= at - WINDOW_MS) this.#marks.shift();
  }

  /** @returns {number | null} bytes a second; null while it is too early to tell */
  speed() {
    if (this.#marks.length < 2) return null;
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    const elapsed = last.at - first.at;
    if (elapsed < SHORTEST_MS) return null;
    return ((last.bytes - first.bytes) * 1000) / elapsed;
  }

  /**
   * @param {number} remaining bytes
   * @returns {number | null} seconds; null when unknown or when nothing moves
   */
  timeLeft(remaining) {
    const speed = this.speed();
    return speed ? remaining / speed : null;
  }
}
