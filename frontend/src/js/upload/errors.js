/** Errors of uploads, from the server's answers. */

/** The upload ended without a video. The message is shown to the user. */
export class UploadRejected extends Error {
  /**
   * @param {string} sentence
   * @param {{final?: boolean}} [kind] final: a retry cannot help
   */
  constructor(sentence, { final = false } = {}) {
    super(sentence);
    this.final = final;
  }
}

/** The upload is interrupted; the server keeps what it has received. */
export class UploadInterrupted extends Error {
  /**
   * @param {string} sentence
   * @param {{signedOut?: boolean, minDelay?: number}} [kind] minDelay: seconds that the server asked to wait
   */
  constructor(sentence, { signedOut = false, minDelay = 0 } = {}) {
    super(sentence);
    this.signedOut = signedOut;
    this.minDelay = minDelay;
  }
}

/** Temporary: for example the upload is still locked by an earlier request. */
const TEMPORARY = [408, 409, 423, 425, 429, 460];

/**
 * @param {number} status 0: there was no answer
 * @param {object} [answer]
 * @param {string | null} [answer.sentence] of the server, where it gave one
 * @param {number} [answer.retryAfter] seconds
 * @param {boolean} [answer.begun] the upload existed before this request
 * @returns {UploadRejected | UploadInterrupted}
 */
export function explain(status, { sentence = null, retryAfter = 0, begun = false } = {}) {
  if (status === 0) return new UploadInterrupted("Connection lost.");
  if (status === 401) return new UploadInterrupted("You are signed out.", { signedOut: true });
  if (begun && (status === 404 || status === 410)) {
    const removed = "This upload is no longer on the server. Try again to send it from the beginning.";
    return new UploadRejected(sentence ?? removed);
  }
  if (status === 507 && !begun) return new UploadRejected(sentence ?? "The server's storage is full.");
  if (status >= 500 || TEMPORARY.includes(status)) {
    return new UploadInterrupted(sentence ?? "The server is not responding properly.", {
      minDelay: retryAfter,
    });
  }
  if (status === 413) {
    return new UploadRejected(sentence ?? "This file is larger than the server allows.", { final: true });
  }
  return new UploadRejected(sentence ?? "The server rejected the file.", { final: true });
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
