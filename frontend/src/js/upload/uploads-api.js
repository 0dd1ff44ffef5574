/**
 * The account's unfinished uploads, kept by the server. Nothing is stored in this browser: the list is
 * the same on every device, and leaves nothing behind on a shared one.
 */
import { Upload } from "tus-js-client";
import { explain, sentenceIn } from "./errors.js";
import { findMatch } from "./match.js";

export class UploadsApi {
  #taken = new Set();
  #onChange;

  /** @param {() => void} onChange called when `unfinished` may have changed */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @returns {Promise<import("./match.js").Unfinished[]>} those that no upload on this page uses */
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
   * Find the unfinished upload of a file, and reserve it.
   * @returns {Promise<string | null>} its URL
   */
  async claim(fingerprint, size) {
    const match = findMatch(await this.unfinished(), { fingerprint, size });
    // Another row with the same file may have reserved it meanwhile.
    if (!match || this.#taken.has(match.url)) return null;
    this.#taken.add(match.url);
    this.#onChange();
    return match.url;
  }

  /** Reserve an upload for this page. */
  take(url) {
    this.#taken.add(url);
  }

  /** End the reservation. */
  release(url) {
    this.#taken.delete(url);
    this.#onChange();
  }

  /** Delete an upload on the server. */
  async discard(url) {
    await Upload.terminate(url, { retryDelays: [0, 1000, 3000, 5000] });
  }
}
