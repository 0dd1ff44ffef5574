/**
 * Send a file to the server, with retries until it is complete. The rest of the page knows only
 * `transfer`.
 */

import { t } from "../i18n.js";
import { Backoff } from "./backoff.js";
import { UploadInterrupted, UploadRejected } from "./errors.js";
import { fingerprintOf } from "./fingerprint.js";
import { attempt } from "./tus-attempt.js";

/**
 * Send one file, from where an earlier transfer stopped.
 *
 * @param {object} options
 * @param {string} options.endpoint
 * @param {File} options.file
 * @param {string} options.fingerprint of the file
 * @param {Record<string, string>} options.metadata
 * @param {{url: string | null}} options.upload its URL on the server, filled in once it is known
 * @param {import("./uploads-api.js").UploadsApi} options.uploadsApi
 * @param {import("./retry-signal.js").RetrySignal} options.retrySignal ends a wait early
 * @param {(url: string) => void} options.onFound called with the upload's URL, as soon as it is known
 * @param {AbortSignal} options.signal stops it; the promise then rejects with the signal's reason
 * @param {(bytes: number) => void} options.onProgress bytes of the file sent so far
 * @param {(interruption: UploadInterrupted, seconds: number) => void} options.onWait once a second while it waits;
 *   Infinity: until the user has signed in
 * @returns {Promise<string | null>} the video's URL
 * @throws {UploadRejected}
 */
export async function transfer({ upload, uploadsApi, retrySignal, onWait, onFound, ...options }) {
  const { file, fingerprint, signal } = options;
  const backoff = new Backoff();
  let reached = 0;
  for (;;) {
    signal.throwIfAborted();
    await requireSame(file, fingerprint);
    try {
      // Also after a creation without an answer: the server may have created the upload.
      upload.url ??= await uploadsApi.claim({
        fingerprint,
        size: file.size,
        submission: options.metadata.submission,
      });
      signal.throwIfAborted();
      if (upload.url) onFound(upload.url);
      return await attempt({
        ...options,
        url: upload.url,
        onUrl: (url) => {
          uploadsApi.take(url);
          upload.url = url;
          onFound(url);
        },
        onKept: (bytes) => {
          reached = bytes;
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UploadInterrupted)) throw error;
      const seconds = error.signedOut ? Number.POSITIVE_INFINITY : backoff.next(reached, error.minDelay);
      await wait(seconds, { signal, retrySignal, tell: (left) => onWait(error, left) });
    }
  }
}

async function wait(seconds, { signal, retrySignal, tell }) {
  if (seconds === 0) return; // tried again at once, which nobody has to know
  tell(seconds);
  if (seconds === Number.POSITIVE_INFINITY) {
    await retrySignal.wait(seconds, signal);
    return;
  }
  for (let left = seconds; left > 0; left -= 1) {
    tell(left);
    if (await retrySignal.wait(1000, signal)) break;
  }
}

/** @throws {UploadRejected} if the file has changed since it was chosen */
async function requireSame(file, fingerprint) {
  let now = null;
  try {
    now = await fingerprintOf(file);
  } catch {
    // Browsers refuse to read a file that has changed since it was chosen.
  }
  if (now !== fingerprint) {
    throw new UploadRejected(t("This file has changed since it was chosen. Choose it again."), {
      final: true,
    });
  }
}
