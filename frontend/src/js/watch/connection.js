/** When the server cannot be reached, or refuses: say so, and go on by itself when that is over. */
import { ask, isRefusal } from "./trouble.js";

/** Between tries while the network is away, doubling. */
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

/**
 * @param {object} does
 * @param {(trouble: {status: number | null}) => void} does.troubled
 * @param {() => void} does.cleared the trouble is over
 * @param {() => void} does.halt ask for nothing more
 * @param {() => void} does.resume go on
 */
export function makeConnection({ troubled, cleared, halt, resume }) {
  let asking = false;
  let refusal = null;
  let retry = null;

  /** Signed in again in another tab, for instance. */
  async function checkReturn() {
    if (!refusal || document.visibilityState !== "visible") return;
    const status = await ask(refusal);
    if (status === null || status >= 400) return;
    refusal = null;
    cleared();
    resume();
  }

  addEventListener("online", () => retry?.act());
  addEventListener("focus", checkReturn);
  document.addEventListener("visibilitychange", checkReturn);

  return {
    /** Bytes have come. */
    flowing() {
      clearTimeout(retry?.timer);
      if (retry) cleared();
      retry = null;
    },

    /** The network is away: do something in a while, and sooner if the browser says that it is back. */
    tryAgain(act) {
      const wait = Math.min((retry?.wait ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
      clearTimeout(retry?.timer);
      retry = { wait, act, timer: setTimeout(act, wait) };
      troubled({ status: null });
    },

    /** One rendition may have been replaced; what counts is whether the video can still be had. */
    async checkRefusal(url) {
      if (asking || refusal) return;
      asking = true;
      const status = await ask(url);
      asking = false;
      if (!isRefusal(status)) return;
      refusal = url;
      halt();
      troubled({ status });
    },

    /** @returns {Promise<number | null>} what the server answers; a refusal is remembered */
    async look(url) {
      const status = await ask(url);
      if (isRefusal(status)) refusal = url;
      return status;
    },
  };
}
