/** The message over the video: what a key has just done, or where the video resumed. */
import { formatClock } from "../format.js";
import { t } from "../i18n.js";

const SHOWN_MS = 1500;
const RESUMED_MS = 8000; // long enough to reach the button beside it

/** @param {HTMLElement} container of the player */
export function makeMessage(container) {
  const status = container.querySelector("#player-status");
  const startOver = container.querySelector("#start-over");
  let timer;

  function clear() {
    clearTimeout(timer);
    status.textContent = "";
    startOver.hidden = true;
  }

  function say(sentence, duration = SHOWN_MS) {
    hold(sentence);
    timer = setTimeout(clear, duration);
  }

  /** Show a sentence until the next one, or until it is cleared. */
  function hold(sentence) {
    clear();
    status.textContent = sentence;
  }

  return {
    say,
    hold,
    clear,

    /**
     * Say where the video resumed, with a button to start over.
     * @param {number} seconds
     * @param {() => void} begin starts over
     */
    sayResumed(seconds, begin) {
      say(t("Resumed at {time}", { time: formatClock(seconds) }), RESUMED_MS);
      startOver.hidden = false;
      startOver.onclick = () => {
        begin();
        clear();
      };
    },
  };
}
