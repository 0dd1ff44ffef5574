/** Keep the last frame on the screen while the source of the video changes. */

/** Longest time that the old frame stays when no new one arrives. */
const LONGEST_MS = 8000;

/**
 * @param {HTMLVideoElement} video
 * @returns {() => void} removes the frame
 */
export function showStillFrame(video) {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return () => {};
  const still = document.createElement("canvas");
  still.className = "still-frame";
  still.width = video.videoWidth;
  still.height = video.videoHeight;
  still.setAttribute("aria-hidden", "true");
  still.getContext("2d").drawImage(video, 0, 0);
  video.after(still);
  return () => still.remove();
}

/**
 * Wait until a new source shows its first frame.
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal ends the waiting
 */
export function firstFrame(video, signal) {
  return new Promise((resolve) => {
    const ended = new AbortController();
    signal.addEventListener("abort", () => done(), { once: true });
    const done = () => {
      ended.abort();
      clearTimeout(timer);
      // The frame is decoded now, and painted one frame later.
      requestAnimationFrame(() => requestAnimationFrame(resolve));
    };
    const timer = setTimeout(done, LONGEST_MS);
    const look = () => {
      if (!video.seeking && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) done();
    };
    for (const event of ["canplay", "seeked", "loadeddata"]) {
      video.addEventListener(event, look, { signal: ended.signal });
    }
    video.addEventListener("error", done, { signal: ended.signal });
  });
}
