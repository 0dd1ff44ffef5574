/** Run a limited number of jobs at once, the others in order. */
export class Queue {
  #waiting = [];
  #running = 0;
  #limit;

  /** @param {number} limit how many may run at once */
  constructor(limit) {
    this.#limit = limit;
  }

  /**
   * @template T
   * @param {() => Promise<T>} job
   * @returns {Promise<T>} the result of the job
   */
  add(job) {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => job().then(resolve, reject));
      this.#next();
    });
  }

  #next() {
    while (this.#running < this.#limit && this.#waiting.length > 0) {
      const job = this.#waiting.shift();
      this.#running += 1;
      job().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
