/** Errors of uploads, from the server's answers. */
import { t } from "../i18n.js";

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

/** Temporary, whatever the server says. */
const TEMPORARY = [408, 425, 429, 460];

/** A request of the page before, or of another tab, has not ended. */
const OCCUPIED = [409, 423];

/**
 * @param {number} status 0: there was no answer
 * @param {object} [answer]
 * @param {string | null} [answer.sentence] of the server, where it gave one
 * @param {number} [answer.retryAfter] seconds
 * @param {boolean} [answer.begun] the upload existed before this request
 * @returns {UploadRejected | UploadInterrupted}
 */
export function explain(status, { sentence = null, retryAfter = 0, begun = false } = {}) {
  if (status === 0) return new UploadInterrupted(t("Connection lost."));
  if (status === 401) return new UploadInterrupted(t("You are signed out."), { signedOut: true });
  if (begun && (status === 404 || status === 410)) {
    const removed = t("This upload is no longer on the server. Try again to send it from the beginning.");
    return new UploadRejected(sentence ?? removed);
  }
  if (status === 507 && !begun) return new UploadRejected(sentence ?? t("The server's storage is full."));
  if (OCCUPIED.includes(status)) {
    return new UploadInterrupted(t("An earlier connection is still sending this file."), {
      minDelay: retryAfter,
    });
  }
  if (status >= 500 || TEMPORARY.includes(status)) {
    return new UploadInterrupted(sentence ?? t("The server is not responding properly."), {
      minDelay: retryAfter,
    });
  }
  if (status === 413) {
    return new UploadRejected(sentence ?? t("This file is larger than the server allows."), { final: true });
  }
  return new UploadRejected(sentence ?? t("The server rejected the file."), { final: true });
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
