/** The state of uploaded videos: the server checks each, and some cannot be played before they are processed. */
import { follow, isOver } from "../progress/feed.js";

/** How many videos one request may follow. */
const LIMIT = 24;

export class ProcessingWatch {
  /** @type {Map<string, (state: object) => void>} by the id of the video */
  #listeners = new Map();
  #end = () => {};

  /**
   * Follow a video until it has been checked and can be watched, or will not be.
   * @param {string} url of the video
   * @param {(state: object) => void} listener gets each state
   */
  add(url, listener) {
    this.#listeners.set(url.split("/").at(-1), listener);
    this.#restart();
  }

  /** One connection follows all of them. */
  #restart() {
    this.#end();
    const ids = [...this.#listeners.keys()].slice(-LIMIT);
    this.#end = follow(`/api/videos/progress?ids=${ids.join(",")}`, ({ id, ...state }) => {
      this.#listeners.get(id)?.(state);
      if (isSettled(state)) this.#settle(id);
      return this.#listeners.size > 0;
    });
  }

  #settle(id) {
    this.#listeners.delete(id);
    if (this.#listeners.size >= LIMIT) this.#restart(); // there is room for one more
  }
}

/** Whether what the upload page says about it will not change any more. */
function isSettled(state) {
  const check = state.steps.find((step) => step.kind === "check");
  return isOver(state) || (state.watchable && check?.state === "done");
}

/**
 * @param {{state: string, watchable: boolean, words: string}} state of the video
 * @returns {{sentence: string, tone: "good" | "bad"}} for the upload page
 */
export function describeState({ state, watchable, words }) {
  if (state === "refused") return { sentence: `It cannot be played. ${words}`, tone: "bad" };
  if (watchable) return { sentence: "Done. It can be watched now.", tone: "good" };
  if (state === "failed") return { sentence: words, tone: "bad" };
  return { sentence: "Uploaded. It is being prepared.", tone: "good" };
}
