/** Waits that end early when the network is back or the user has signed in. */
export class RetrySignal {
  #waiting = new Set();

  /** End every wait. */
  fire() {
    for (const wake of [...this.#waiting]) wake(true);
  }

  /**
   * @param {number} ms Infinity: until the signal
   * @param {AbortSignal} signal
   * @returns {Promise<boolean>} whether the signal ended it
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
      const wake = (signalled) => end(resolve, signalled);
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
