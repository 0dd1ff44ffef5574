/** What the server's refusals mean for an upload. */

/** It did not become a video, in a sentence for people. */
export class Refused extends Error {
  /**
   * @param {string} sentence
   * @param {{final?: boolean}} [kind] final: trying again cannot help
   */
  constructor(sentence, { final = false } = {}) {
    super(sentence);
    this.final = final;
  }
}

/** It cannot go on just now; what has arrived is kept. */
export class Setback extends Error {
  /**
   * @param {string} sentence
   * @param {{signedOut?: boolean, least?: number}} [kind] least: seconds that the server asked for
   */
  constructor(sentence, { signedOut = false, least = 0 } = {}) {
    super(sentence);
    this.signedOut = signedOut;
    this.least = least;
  }
}

/** Not what it should be at this moment, or taken by an earlier request of ours that is still dying. */
const PASSING = [408, 409, 423, 425, 429, 460];

/**
 * @param {number} status 0: there was no answer
 * @param {object} [answer]
 * @param {string | null} [answer.sentence] of the server, where it gave one
 * @param {number} [answer.retryAfter] seconds
 * @param {boolean} [answer.begun] the upload was there before this request
 * @returns {Refused | Setback}
 */
export function explain(status, { sentence = null, retryAfter = 0, begun = false } = {}) {
  if (status === 0) return new Setback("Connection lost.");
  if (status === 401) return new Setback("You are signed out.", { signedOut: true });
  if (begun && (status === 404 || status === 410)) {
    const removed = "This upload is not on the server any more. Try again to send it from its start.";
    return new Refused(sentence ?? removed);
  }
  if (status === 507 && !begun) return new Refused(sentence ?? "The server has no room left.");
  if (status >= 500 || PASSING.includes(status)) {
    return new Setback(sentence ?? "The server does not answer as it should.", { least: retryAfter });
  }
  if (status === 413) {
    return new Refused(sentence ?? "The server does not take files this large.", { final: true });
  }
  return new Refused(sentence ?? "The server did not take it.", { final: true });
}

/**
 * @param {string} body
 * @returns {string | null} the sentence in {"error": sentence}
 */
export function sentenceIn(body) {
  try {
    const { error } = JSON.parse(body);
    return typeof error === "string" && error ? error : null;
  } catch {
    return null;
  }
}
