/** The state of uploaded videos: the server checks each, and some cannot be played before they are processed. */
import { t } from "../i18n.js";
import { follow, isOver } from "../progress/feed.js";

/** How many videos one request may follow. */
const LIMIT = 24;

export class ProcessingWatch {
  /** @type {Map<string, (state: object) => void>} by the id of the video */
  #listeners = new Map();
  #end = () => {};

  /**
   * Follow a video until nothing more happens by itself.
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
      if (isOver(state)) this.#settle(id);
      return this.#listeners.size > 0;
    });
  }

  #settle(id) {
    this.#listeners.delete(id);
    if (this.#listeners.size >= LIMIT) this.#restart(); // there is room for one more
  }
}

/**
 * @param {{state: string, watchable: boolean, words: string, percent?: number, steps?: object[]}} state of the video
 * @returns {{sentence: string, tone: "good" | "bad" | "", percent: number | null}} percent: of its preparation;
 *   null: nothing more happens by itself
 */
export function describeState({ state, watchable, words, percent = null, steps = [] }) {
  if (state === "refused") return { sentence: words, tone: "bad", percent: null };
  if (state === "failed") return { sentence: words, tone: watchable ? "" : "bad", percent: null };
  if (state === "done") return { sentence: t("Ready"), tone: "good", percent: null };
  if (!watchable) return { sentence: words, tone: "", percent };
  // The original plays already. Whether all of it does, the check tells.
  const isChecked = steps.some((step) => step.kind === "check" && step.state === "done");
  return isChecked
    ? { sentence: t("Ready to watch. {progress}", { progress: words }), tone: "good", percent }
    : { sentence: t("Uploaded. {progress}", { progress: words }), tone: "good", percent };
}
