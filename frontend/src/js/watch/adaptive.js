/** hls.js, and nothing of it anywhere else but in `succession.js`. Loaded only when there is something for it to play. */
import workerPath from "static:hls-worker.js";
import { levelOf, renditionsOf, settledChoice } from "./quality.js";
import { bufferedUntil, dropAhead, hasPlaylists, mayHandOver } from "./succession.js";
import { isRefusal } from "./trouble.js";

/** Seconds to load ahead before somebody presses play, and after. */
const PEEK_S = 5;
const AHEAD_S = 30;

/** Seconds that must be buffered before another hls.js takes over: its first part comes after some playlists. */
const SPARE_S = 10;

/** A decoder that fails more often than this within so many milliseconds will not be mended. */
const MENDS = 2;
const MENDS_WITHIN_MS = 20_000;

/** Seconds by which one goes back before the end of what it takes over. */
const SEAM_S = 0.5;

const SETTINGS = {
  workerPath,
  backBufferLength: 90,
  // Samples count by how long they took, so fast ones hardly count: with hls.js's 3 and 9 seconds a
  // line that is fast again is believed after minutes.
  abrEwmaFastVoD: 1,
  abrEwmaSlowVoD: 2,
  // Pictures that are decoded in another order than they are shown begin some pictures after the film. To hls.js
  // that is a hole, and it loads everything before the hole again: on a slow line, instead of what comes next.
  maxBufferHole: 0.5,
  // No more pictures than the page shows; by hand people get what they ask for.
  capLevelToPlayerSize: true,
  // Captions are <track>s of the page; these would clear or switch them.
  subtitleTrackController: undefined,
  subtitleStreamController: undefined,
  timelineController: undefined,
  enableInterstitialPlayback: false,
};

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
 * An hls.js never reads its master again, and to load it anew in the same one throws the buffer away, so that the
 * picture stops. So whoever knows of a newer master starts a second hls.js beside the first; when the first has
 * nothing half done, the second gets its MediaSource with all that is buffered, and loads what comes after.
 *
 * @param {object} Hls
 * @param {HTMLVideoElement} video
 * @param {string} master
 * @param {object} how
 * @param {number} how.at seconds to begin at
 * @param {string} how.choice of the quality menu
 * @param {() => void} how.changed other renditions are known, or another one is on the screen
 * @param {(status: number) => void} how.refused the server answered 401, 403 or 404 to something
 * @param {() => void} how.interrupted the network is away, and loading has stopped
 * @param {() => void} how.flowing bytes have come
 * @param {() => void} how.failed it will not play
 */
export function playAdaptive(Hls, video, master, how) {
  const mends = [];
  let chosen = how.choice;
  let ahead = video.paused ? PEEK_S : AHEAD_S;
  let renditions = [];
  let shown = null;
  let newer = null; // has read a newer master, or is about to, and takes over then
  let inherited = 0; // seconds; what is buffered before this was loaded by a predecessor

  const make = (more) => new Hls({ ...SETTINGS, maxMaxBufferLength: ahead, ...more });
  let hls = make({ startPosition: how.at > 0 ? how.at : -1 });

  /** Listen to the one that plays. */
  function attend() {
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
      shown = renditions.find((one) => one.index === level)?.name ?? null;
      how.changed();
    });
    hls.on(Hls.Events.FRAG_LOADED, how.flowing);
    hls.on(Hls.Events.ERROR, onProblem);
  }

  function onProblem(_event, problem) {
    const status = problem.response?.code;
    if (isRefusal(status)) how.refused(status);
    if (!problem.fatal) return;
    if (problem.type === Hls.ErrorTypes.NETWORK_ERROR && hls.levels.length > 0) how.interrupted();
    else if (problem.type === Hls.ErrorTypes.MEDIA_ERROR) mend();
    else how.failed();
  }

  function mend() {
    if (!mayMend(mends)) return how.failed();
    inherited = 0;
    hls.recoverMediaError();
  }

  /** The master has been read, and nothing of it is loaded yet. */
  function aim(one) {
    const found = renditionsOf(one.levels);
    chosen = settledChoice(found, chosen);
    if (chosen !== "auto") one.loadLevel = levelOf(found, chosen);
    return found;
  }

  function renew() {
    newer?.destroy();
    const next = make({ autoStartLoad: false });
    newer = next;
    const wanted = levelOf(renditions, chosen) === null; // somebody chose what is only coming
    const takeOver = (tolerating) => {
      if (newer !== next || !hasPlaylists(next)) return;
      if (hls.hasEnoughToStart && hasTime(video) && mayHandOver(hls, tolerating)) succeed({ wanted });
    };
    next.on(Hls.Events.ERROR, (_event, { fatal }) => {
      if (newer !== next || !fatal) return;
      newer = null; // what plays goes on; the next news begins anew
      next.destroy();
    });
    next.on(Hls.Events.MANIFEST_PARSED, () => {
      next.bandwidthEstimate = hls.bandwidthEstimate;
      aim(next);
      next.startLoad(bufferedUntil(video)); // without an element: no more than its playlists
    });
    // Between two parts, or when there is nothing to load.
    for (const event of [Hls.Events.LEVEL_LOADED, Hls.Events.AUDIO_TRACK_LOADED]) {
      next.on(event, () => queueMicrotask(() => takeOver({ loading: false })));
    }
    hls.on(Hls.Events.FRAG_BUFFERED, () => queueMicrotask(() => takeOver({ loading: true })));
    next.loadSource(master);
  }

  /** Let the newer one go on with what is buffered. */
  function succeed({ wanted }) {
    const media = hls.transferMedia();
    hls.destroy();
    hls = newer;
    newer = null;
    inherited = bufferedUntil(video);
    renditions = renditionsOf(hls.levels);
    attend();
    if (wanted) hls.once(Hls.Events.MEDIA_ATTACHED, skip);
    hls.startLevel = hls.loadLevel; // its playlist is here, so that loading begins where it is told to
    hls.attachMedia(media);
    hls.stopLoad(); // or the sound, which follows the pictures, begins before its turn and is broken off
    // From a part that is there: seams may differ by a few pictures, and must overlap.
    hls.startLoad(Math.max(video.currentTime, inherited - SEAM_S), true);
    how.changed();
  }

  /** Somebody who chose does not wait until all is played that a predecessor loaded. */
  function skip() {
    if (inherited > video.currentTime) dropAhead(Hls, hls, video);
  }

  function hurry() {
    ahead = AHEAD_S;
    for (const one of [hls, newer]) {
      if (one) one.config.maxMaxBufferLength = ahead;
    }
  }

  video.addEventListener("play", hurry, { once: true });
  attend();
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    renditions = aim(hls);
    how.changed();
  });
  hls.loadSource(master);
  hls.attachMedia(video);
  return {
    /** What can be played, best first. */
    renditions: () => renditions,
    /** The name of what is on the screen; null before that is known. */
    shown: () => shown,
    /** What somebody chose. */
    chosen: () => chosen,

    /** Whether a choice of the menu can be played now. */
    offers: (choice) => levelOf(renditions, choice) !== null,

    /** @param {string} choice of the quality menu; what is not there yet is taken when it is */
    choose(choice) {
      chosen = choice;
      const level = levelOf(renditions, choice);
      if (level === null || newer) renew(); // with this aim
      if (level === null) return;
      if (level < 0) {
        hls.loadLevel = -1;
      } else {
        hls.nextLevel = level;
        skip();
      }
    },

    renew,
    /** The element itself reported an error. */
    mend,
    pause: () => hls.stopLoad(),
    resume() {
      const rest = inherited > video.currentTime;
      hls.startLoad(rest ? inherited : -1, rest);
    },
    end() {
      video.removeEventListener("play", hurry);
      newer?.destroy();
      hls.destroy();
    },
  };
}

/** Whether the picture goes on while for once nothing is loaded. */
function hasTime(video) {
  const until = bufferedUntil(video);
  return video.paused || until - video.currentTime >= SPARE_S || until > video.duration - 1;
}

function mayMend(mends) {
  const now = performance.now();
  mends.push(now);
  return mends.filter((then) => now - then < MENDS_WITHIN_MS).length <= MENDS;
}
