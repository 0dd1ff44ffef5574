/**
 * The account's unfinished uploads, kept by the server. Nothing is stored in this browser: the list is
 * the same on every device, and leaves nothing behind on a shared one.
 */
import { Upload } from "tus-js-client";
import { explain, sentenceIn } from "./errors.js";
import { findMatch } from "./match.js";

export class UploadsApi {
  /** URLs of the uploads of this page. */
  #taken = new Set();
  /** Submissions of this page: the server may list an upload before the page knows its URL. */
  #submissions = new Set();
  #onChange;

  /** @param {() => void} onChange called when `unfinished` may have changed */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** @returns {Promise<import("./match.js").Unfinished[]>} those that no upload on this page uses */
  async unfinished() {
    return (await this.#list()).filter((upload) => !this.#isUsed(upload));
  }

  async #list() {
    let response;
    try {
      response = await fetch("/api/uploads", { headers: { Accept: "application/json" }, cache: "no-store" });
    } catch {
      throw explain(0);
    }
    if (!response.ok) throw explain(response.status, { sentence: sentenceIn(await response.text()) });
    return (await response.json()).uploads;
  }

  #isUsed({ url, submission }) {
    return this.#taken.has(url) || this.#submissions.has(submission);
  }

  /**
   * Find the unfinished upload of a file, and reserve it. One that this submission has created counts too: its
   * answer may have been lost.
   * @param {{fingerprint: string, size: number, submission: string}} file
   * @returns {Promise<string | null>} its URL
   */
  async claim({ fingerprint, size, submission }) {
    this.#submissions.add(submission);
    const uploads = await this.#list();
    // Not those of other files on this page, which may have the same content.
    const free = uploads.filter((upload) => upload.submission === submission || !this.#isUsed(upload));
    const match = findMatch(free, { fingerprint, size });
    if (!match) return null;
    this.#taken.add(match.url);
    this.#onChange();
    return match.url;
  }

  /** Reserve an upload for this page. */
  take(url) {
    this.#taken.add(url);
  }

  /** End the reservation of an upload, and of what this submission may have created. */
  release(url, submission) {
    this.#taken.delete(url);
    this.#submissions.delete(submission);
    this.#onChange();
  }

  /** Delete an upload on the server. */
  async discard(url) {
    await Upload.terminate(url, { retryDelays: [0, 1000, 3000, 5000] });
  }
}
