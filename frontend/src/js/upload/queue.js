/** A few things at a time, the others in the order they came. */
export class Queue {
  #waiting = [];
  #running = 0;
  #most;

  /** @param {number} most how many may run at once */
  constructor(most) {
    this.#most = most;
  }

  /** @param {() => Promise<void>} job must not reject */
  add(job) {
    this.#waiting.push(job);
    this.#next();
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
