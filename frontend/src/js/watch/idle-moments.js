/** Moments in which a change of source is not noticed: pauses, seeks and stalls. */

/** A pause that is part of a seek is shorter than this; so is a stall that is not visible. */
const SETTLED_MS = 600;
const STALLED_MS = 300;

const isStopped = (video) => video.paused && !video.ended;
const isDry = (video) => video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;

/**
 * @param {HTMLVideoElement} video
 * @param {() => void} act is called at each such moment
 */
export function watchIdleMoments(video, act) {
  let pressed = false; // a finger or a button is down, perhaps on the bar
  let due = false;

  const later = (milliseconds, still) =>
    setTimeout(() => {
      if (still()) act();
    }, milliseconds);

  video.addEventListener("pause", () =>
    later(SETTLED_MS, () => isStopped(video) && !video.seeking && !pressed),
  );
  video.addEventListener("waiting", () => later(STALLED_MS, () => !video.paused && isDry(video)));
  video.addEventListener("seeking", () => {
    if (pressed) due = true;
    else act();
  });
  addEventListener("pointerdown", () => {
    pressed = true;
  });
  for (const event of ["pointerup", "pointercancel"]) {
    addEventListener(event, () => {
      pressed = false;
      // The player resumes only after this event.
      if (due) setTimeout(act);
      due = false;
    });
  }

  return {
    /** Whether this is such a moment. */
    quiet: () => isStopped(video) || video.seeking || isDry(video),
    /** Whether the video is paused, and not as part of a seek. */
    settled: () => isStopped(video) && !pressed,
  };
}
