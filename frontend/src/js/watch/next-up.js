/** Plays a collection through: after the end of a video the next one opens by itself. */

const WAIT_MS = 5000; // to say no

/**
 * @param {HTMLVideoElement} video
 * @param {HTMLElement} message says what is next, with a link to it and a button to stay
 */
export function playNext(video, message) {
  const link = message.querySelector("a");
  let timer;

  function stay() {
    clearTimeout(timer);
    message.hidden = true;
  }

  video.addEventListener("ended", () => {
    message.hidden = false;
    link.focus({ preventScroll: true });
    timer = setTimeout(() => location.assign(link.href), WAIT_MS);
  });
  video.addEventListener("play", stay);
  message.querySelector("button").addEventListener("click", stay);
}
