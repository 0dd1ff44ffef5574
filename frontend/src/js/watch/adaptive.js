/** hls.js, and nothing of it anywhere else. Loaded only when there is something for it to play. */
import workerPath from "static:hls-worker.js";

/** Seconds to load ahead before somebody presses play, and after. */
const PEEK_S = 5;
const AHEAD_S = 30;

/** A decoder that fails more often than this within so many milliseconds will not be mended. */
const MENDS = 2;
const MENDS_WITHIN_MS = 20_000;

/**
 * @returns {Promise<object | null>} hls.js; null where the browser lacks what it needs
 * @throws when the script cannot be loaded
 */
export async function loadAdaptive() {
  const { default: Hls } = await import("hls.js");
  return Hls.isSupported() ? Hls : null;
}

/**
 * Play an HLS master in a video element.
 *
 * @param {object} Hls
 * @param {HTMLVideoElement} video
 * @param {string} master
 * @param {object} how
 * @param {number} how.at seconds to begin at
 * @param {(hls: object) => void} how.ready the renditions are known
 * @param {() => void} how.switched another rendition is on the screen
 * @param {(status: number) => void} how.refused the server answered 401, 403 or 404 to something
 * @param {() => void} how.interrupted the network is away, and loading has stopped
 * @param {() => void} how.flowing bytes have come
 * @param {() => void} how.failed it will not play
 */
export function playAdaptive(Hls, video, master, how) {
  const hls = new Hls({
    workerPath,
    startPosition: how.at > 0 ? how.at : -1,
    maxMaxBufferLength: video.paused ? PEEK_S : AHEAD_S,
    backBufferLength: 90,
    // Samples count by how long they took, so fast ones hardly count: with hls.js's 3 and 9 seconds a
    // line that is fast again is believed after minutes.
    abrEwmaFastVoD: 1,
    abrEwmaSlowVoD: 2,
    // No more pictures than the page shows; by hand people get what they ask for.
    capLevelToPlayerSize: true,
    // Captions are <track>s of the page; these would clear or switch them.
    subtitleTrackController: undefined,
    subtitleStreamController: undefined,
    timelineController: undefined,
    enableInterstitialPlayback: false,
  });
  const mends = [];
  const hurry = () => {
    hls.config.maxMaxBufferLength = AHEAD_S;
  };
  video.addEventListener("play", hurry, { once: true });
  hls.on(Hls.Events.MANIFEST_PARSED, () => how.ready(hls));
  hls.on(Hls.Events.LEVEL_SWITCHED, how.switched);
  hls.on(Hls.Events.FRAG_LOADED, how.flowing);
  hls.on(Hls.Events.ERROR, (_event, problem) => {
    const status = problem.response?.code;
    if (status === 401 || status === 403 || status === 404) how.refused(status);
    if (!problem.fatal) return;
    if (problem.type === Hls.ErrorTypes.NETWORK_ERROR && hls.levels.length > 0) {
      how.interrupted();
    } else if (problem.type === Hls.ErrorTypes.MEDIA_ERROR && mayMend(mends)) {
      hls.recoverMediaError();
    } else {
      how.failed();
    }
  });
  hls.loadSource(master);
  hls.attachMedia(video);
  return {
    hls,
    /** The element itself reported an error. */
    mend() {
      if (mayMend(mends)) hls.recoverMediaError();
      else how.failed();
    },
    end() {
      video.removeEventListener("play", hurry);
      hls.destroy();
    },
  };
}

function mayMend(mends) {
  const now = performance.now();
  mends.push(now);
  return mends.filter((then) => now - then < MENDS_WITHIN_MS).length <= MENDS;
}
