/** Put something else into the element, so that it goes on where it was. */
import { firstPicture, freeze } from "./freeze.js";

/**
 * @param {HTMLVideoElement} video
 * @param {number} start seconds to begin at, before anything has been played
 * @returns {(put: (at: number) => void) => void} exchanges: `put` gets the place to go on from
 */
export function makeExchange(video, start) {
  let thaw = null; // takes the still picture away
  let settling = new AbortController();
  const play = () => video.play().catch(() => {}); // paused again meanwhile, or not allowed

  return function exchange(put) {
    const at = video.readyState > 0 ? video.currentTime : Math.max(start, video.currentTime);
    const playing = !video.paused && !video.ended;
    thaw ??= freeze(video);
    settling.abort();
    settling = new AbortController();
    const { signal } = settling;
    video.defaultPlaybackRate = video.playbackRate;
    put(at);
    if (playing) play();
    firstPicture(video, signal).then(() => {
      if (signal.aborted) return; // what came after it thaws
      thaw();
      thaw = null;
    });
  };
}
