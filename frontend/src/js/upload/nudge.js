/** Waiting that ends early when there is news: the network is back, or somebody signed in. */
export class Nudge {
  #waiting = new Set();

  /** End every wait. */
  now() {
    for (const wake of [...this.#waiting]) wake(true);
  }

  /**
   * @param {number} ms Infinity: until nudged
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether it was nudged
   * @throws the signal's reason
   */
  wait(ms, signal) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", stop);
        settle(value);
      };
      const wake = (nudged) => end(resolve, nudged);
      const stop = () => end(reject, signal.reason);
      const timer = Number.isFinite(ms) ? setTimeout(wake, ms, false) : undefined;
      if (signal.aborted) {
        stop();
        return;
      }
      this.#waiting.add(wake);
      signal.addEventListener("abort", stop);
    });
  }
}
