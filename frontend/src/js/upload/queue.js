/** A few things at a time, the others in the order they came. */
export class Queue {
  #waiting = [];
  #running = 0;
  #most;

  /** @param {number} most how many may run at once */
  constructor(most) {
    this.#most = most;
  }

  /**
   * @template T
   * @param {() => Promise<T>} job
   * @returns {Promise<T>} what the job's own promise comes to
   */
  add(job) {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => job().then(resolve, reject));
      this.#next();
    });
  }

  #next() {
    while (this.#running < this.#most && this.#waiting.length > 0) {
      const job = this.#waiting.shift();
      this.#running += 1;
      job().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
