/** How far all uploads of the page are, in the title of its tab. */

/**
 * @param {{reached: number, size: number}[]} uploads those that are not finished
 * @returns {number | null} whole per cent; null: there is none
 */
export function percentOf(uploads) {
  const size = uploads.reduce((sum, upload) => sum + upload.size, 0);
  const reached = uploads.reduce((sum, upload) => sum + upload.reached, 0);
  return size > 0 ? Math.floor((100 * reached) / size) : null;
}

export class TabTitle {
  #page;
  #shown = null;

  /** @param {{title: string}} page the document */
  constructor(page = document) {
    this.#page = page;
    this.#own = page.title;
  }

  #own;

  /** @param {number | null} percent null: the page's own title */
  show(percent) {
    if (percent === this.#shown) return;
    this.#shown = percent;
    this.#page.title = percent === null ? this.#own : `${percent} % · ${this.#own}`;
  }
}
