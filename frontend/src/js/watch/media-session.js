/** Keys of keyboards and headphones, and the buttons of lock screens (Media Session API). */
import { chapterAt } from "./chapters.js";
import { playOnNextPage } from "./playback.js";

const STEP_S = 10;

/**
 * @param {HTMLVideoElement} video
 * @param {object} about
 * @param {{start: number}[]} about.chapters
 * @param {string} about.title
 * @param {string} about.owner
 * @param {string | undefined} about.next the address of the page that comes next
 */
export function enableMediaKeys(video, { chapters, title, owner, next }) {
  const session = navigator.mediaSession;
  if (!session) return;
  const artwork = video.poster ? [{ src: video.poster, sizes: "640x360", type: "image/jpeg" }] : [];
  session.metadata = new MediaMetadata({ title, artist: owner, artwork });
  const seek = (to) => {
    if (Number.isFinite(video.duration)) video.currentTime = Math.min(Math.max(to, 0), video.duration);
  };
  const handlers = {
    play: () => video.play(),
    pause: () => video.pause(),
    seekbackward: ({ seekOffset }) => seek(video.currentTime - (seekOffset ?? STEP_S)),
    seekforward: ({ seekOffset }) => seek(video.currentTime + (seekOffset ?? STEP_S)),
    seekto: ({ seekTime }) => seek(seekTime),
    previoustrack: chapters.length > 0 ? () => seek(chapters[previous(chapters, video)]?.start ?? 0) : null,
    nexttrack: next ? () => open(next) : null,
  };
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      session.setActionHandler(action, handler);
    } catch {
      // This browser has no such action.
    }
  }
  const tellPosition = () => {
    if (!Number.isFinite(video.duration) || video.duration <= 0) return;
    session.setPositionState?.({
      duration: video.duration,
      playbackRate: video.playbackRate,
      position: Math.min(video.currentTime, video.duration),
    });
  };
  for (const event of ["loadedmetadata", "seeked", "ratechange", "play", "pause"]) {
    video.addEventListener(event, tellPosition);
  }
}

/** The start of this chapter, or, within its first seconds, of the one before. */
function previous(chapters, video) {
  return chapterAt(chapters, video.currentTime - 3);
}

function open(address) {
  playOnNextPage();
  location.assign(address);
}
