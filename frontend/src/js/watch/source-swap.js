/** Change the source of the video element and continue at the same position. */
import { firstFrame, showStillFrame } from "./still-frame.js";

/**
 * @param {HTMLVideoElement} video
 * @param {number} start seconds to begin at, before anything has been played
 * @returns {(put: (at: number) => void) => void} swaps the source: `put` gets the position to continue from
 */
export function makeSourceSwap(video, start) {
  let removeStill = null; // removes the still frame
  let settling = new AbortController();
  const play = () => video.play().catch(() => {}); // paused again meanwhile, or not allowed to play

  return function swapSource(put) {
    const at = video.readyState > 0 ? video.currentTime : Math.max(start, video.currentTime);
    const playing = !video.paused && !video.ended;
    removeStill ??= showStillFrame(video);
    settling.abort();
    settling = new AbortController();
    const { signal } = settling;
    video.defaultPlaybackRate = video.playbackRate;
    put(at);
    if (playing) play();
    firstFrame(video, signal).then(() => {
      if (signal.aborted) return; // a later swap removes the frame
      removeStill();
      removeStill = null;
    });
  };
}
