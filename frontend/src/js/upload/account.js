/**
 * The account's unfinished uploads, as the server keeps them. Nothing is stored in this browser: the
 * list is the same on every machine, and leaves nothing behind for the next person at this one.
 */
import { Upload } from "tus-js-client";
import { explain, sentenceIn } from "./answers.js";
import { findMatch } from "./match.js";

export class Account {
  #taken = new Set();
  #onChange;

  /** @param {() => void} onChange called when `unfinished` may come to something else */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @returns {Promise<import("./match.js").Unfinished[]>} those that no transfer on this page is busy with */
  async unfinished() {
    let response;
    try {
      response = await fetch("/api/uploads", { headers: { Accept: "application/json" }, cache: "no-store" });
    } catch {
      throw explain(0);
    }
    if (!response.ok) throw explain(response.status, { sentence: sentenceIn(await response.text()) });
    const { uploads } = await response.json();
    return uploads.filter(({ url }) => !this.#taken.has(url));
  }

  /**
   * Find what was begun with a file, and take it.
   * @returns {Promise<string | null>} its URL
   */
  async claim(fingerprint, size) {
    const match = findMatch(await this.unfinished(), { fingerprint, size });
    // Another transfer of the same file may have been faster while the list was on its way.
    if (!match || this.#taken.has(match.url)) return null;
    this.#taken.add(match.url);
    this.#onChange();
    return match.url;
  }

  /** Keep an upload for a transfer on this page. */
  take(url) {
    this.#taken.add(url);
  }

  /** Let others on this page have it. */
  release(url) {
    this.#taken.delete(url);
    this.#onChange();
  }

  /** Throw an upload away, on the server. */
  async discard(url) {
    await Upload.terminate(url, { retryDelays: [0, 1000, 3000, 5000] });
  }
}
