/** Waits between retries. */
import { t } from "../i18n.js";

/** Seconds; the last one is repeated as long as the page is open. */
const DELAYS = [0, 1, 3, 5, 10, 20, 30];

export class Backoff {
  #failures = 0;
  #reached = 0;

  /**
   * @param {number} reached bytes that the server has; progress starts the waits over
   * @param {number} [minDelay] seconds that the server asked for
   * @returns {number} seconds to wait
   */
  next(reached, minDelay = 0) {
    if (reached > this.#reached) {
      this.#reached = reached;
      this.#failures = 0;
    }
    const delay = DELAYS[Math.min(this.#failures, DELAYS.length - 1)];
    this.#failures += 1;
    return Math.max(delay, minDelay);
  }
}

/**
 * @param {string} sentence what is wrong
 * @param {number} seconds until the next attempt
 */
export function describeWait(sentence, seconds) {
  return seconds > 0
    ? t("{sentence} Trying again in {seconds} s.", { sentence, seconds })
    : t("{sentence} Trying again now.", { sentence });
}
