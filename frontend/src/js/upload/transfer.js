/**
 * How a file's bytes get to the server: again and again until they are there. The rest of the page
 * knows only `transfer`, so that another way of sending can take this one's place.
 */
import { Refused, Setback } from "./answers.js";
import { attempt } from "./attempt.js";
import { Backoff } from "./backoff.js";
import { fingerprintOf } from "./fingerprint.js";

/**
 * Send one file, from where an earlier transfer stopped.
 *
 * @param {object} options
 * @param {string} options.endpoint
 * @param {File} options.file
 * @param {string} options.fingerprint of the file
 * @param {Record<string, string>} options.metadata
 * @param {{url: string | null}} options.place where the bytes go; filled in once it is known
 * @param {import("./account.js").Account} options.account
 * @param {import("./nudge.js").Nudge} options.nudge ends a wait early
 * @param {AbortSignal} options.signal stops it; the promise then rejects with the signal's reason
 * @param {(bytes: number) => void} options.onProgress bytes of the file sent so far
 * @param {(setback: Setback, seconds: number) => void} options.onWait once a second while it waits;
 *   Infinity: until somebody has signed in
 * @returns {Promise<string | null>} the video's URL
 * @throws {Refused}
 */
export async function transfer({ place, account, nudge, onWait, ...options }) {
  const { file, fingerprint, signal } = options;
  const backoff = new Backoff();
  let reached = 0;
  for (;;) {
    signal.throwIfAborted();
    await requireSame(file, fingerprint);
    try {
      // Also after an attempt to begin one that got no answer: the server may have begun it.
      place.url ??= await account.claim(fingerprint, file.size);
      signal.throwIfAborted();
      return await attempt({
        ...options,
        url: place.url,
        onUrl: (url) => {
          account.take(url);
          place.url = url;
        },
        onKept: (bytes) => {
          reached = bytes;
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Setback)) throw error;
      const seconds = error.signedOut ? Number.POSITIVE_INFINITY : backoff.next(reached, error.least);
      await wait(seconds, { signal, nudge, tell: (left) => onWait(error, left) });
    }
  }
}

async function wait(seconds, { signal, nudge, tell }) {
  tell(seconds);
  if (seconds === Number.POSITIVE_INFINITY) {
    await nudge.wait(seconds, signal);
    return;
  }
  for (let left = seconds; left > 0; left -= 1) {
    tell(left);
    if (await nudge.wait(1000, signal)) break;
  }
}

/** Two halves of different files would be worse than none. */
async function requireSame(file, fingerprint) {
  let now = null;
  try {
    now = await fingerprintOf(file);
  } catch {
    // Browsers refuse to read a file that has changed since it was chosen.
  }
  if (now !== fingerprint) {
    throw new Refused("This file has changed since it was chosen. Choose it again.", { final: true });
  }
}
