/** Report that the server cannot be reached or refuses, and resume when that is over. */
import { ask, isRefusal } from "./player-errors.js";

/** Waits between attempts while the network is down; each is twice the one before. */
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

/**
 * @param {object} does
 * @param {(problem: {status: number | null}) => void} does.onError
 * @param {() => void} does.onRecovered the error is over
 * @param {() => void} does.halt stop loading
 * @param {() => void} does.resume continue
 */
export function makeConnection({ onError, onRecovered, halt, resume }) {
  let asking = false;
  let refusal = null;
  let retry = null;

  /** Signed in again in another tab, for instance. */
  async function checkReturn() {
    if (!refusal || document.visibilityState !== "visible") return;
    const status = await ask(refusal);
    if (status === null || status >= 400) return;
    refusal = null;
    onRecovered();
    resume();
  }

  addEventListener("online", () => retry?.act());
  addEventListener("focus", checkReturn);
  document.addEventListener("visibilitychange", checkReturn);

  return {
    /** Data has arrived. */
    flowing() {
      clearTimeout(retry?.timer);
      if (retry) onRecovered();
      retry = null;
    },

    /** The network is down: try again after a while, or as soon as the browser is online. */
    tryAgain(act) {
      const wait = Math.min((retry?.wait ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
      clearTimeout(retry?.timer);
      retry = { wait, act, timer: setTimeout(act, wait) };
      onError({ status: null });
    },

    /** A rendition may have been replaced: ask whether the video itself is still available. */
    async checkRefusal(url) {
      if (asking || refusal) return;
      asking = true;
      const status = await ask(url);
      asking = false;
      if (!isRefusal(status)) return;
      refusal = url;
      halt();
      onError({ status });
    },

    /** @returns {Promise<number | null>} what the server answers; a refusal is remembered */
    async look(url) {
      const status = await ask(url);
      if (isRefusal(status)) refusal = url;
      return status;
    },
  };
}
