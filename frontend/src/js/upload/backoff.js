/** When to try again, and how that is put. */

/** Seconds; the last one goes on for as long as the page is open. */
const DELAYS = [0, 1, 3, 5, 10, 20, 30];

export class Backoff {
  #failures = 0;
  #reached = 0;

  /**
   * @param {number} reached bytes that the server has; more than the last time is a fresh start
   * @param {number} [least] seconds that the server asked for
   * @returns {number} seconds to wait
   */
  next(reached, least = 0) {
    if (reached > this.#reached) {
      this.#reached = reached;
      this.#failures = 0;
    }
    const delay = DELAYS[Math.min(this.#failures, DELAYS.length - 1)];
    this.#failures += 1;
    return Math.max(delay, least);
  }
}

/**
 * @param {string} sentence what is wrong
 * @param {number} seconds until the next attempt
 */
export function describeWait(sentence, seconds) {
  return `${sentence} Trying again ${seconds > 0 ? `in ${seconds} s` : "now"}.`;
}
