/** Playback with hls.js. Only this module and `hls-handover.js` use it; it is loaded when there is HLS to play. */
import { bufferedUntil, dropAhead, hasPlaylists, mayHandOver } from "./hls-handover.js";
import { keepEstimate, secondsToLoad, startEstimate } from "./line.js";
import { isRefusal } from "./player-errors.js";
import { labelOf, levelOf, renditionsOf, settledChoice } from "./quality.js";

/** Seconds to load ahead before the viewer presses play, and after. */
const AHEAD_PAUSED_S = 5;
const AHEAD_S = 30;

/** Seconds that must be buffered before another hls.js takes over: it has to load playlists first. */
const SPARE_S = 10;

/** A decoder that fails more often than this within so many milliseconds is given up. */
const RECOVERIES = 2;
const RECOVERIES_WITHIN_MS = 20_000;

/** Seconds of the inherited buffer that are loaded again, so that the parts overlap. */
const SEAM_S = 0.5;

/** Seconds that the first segment of a chosen quality may take if the buffered one is discarded for it. */
const QUICK_S = 2;

const SETTINGS = {
  // All renditions are fragmented MP4, which is passed on as it is: nothing is left for a worker to do.
  enableWorker: false,
  // Without it, the first segment would be loaded a second time after its first loading has measured the line.
  testBandwidth: false,
  backBufferLength: 90,
  // Samples are weighted by their duration, so fast ones hardly count: with hls.js's defaults of 3 and 9
  // seconds the estimate takes minutes to rise after the connection has become fast again.
  abrEwmaFastVoD: 1,
  abrEwmaSlowVoD: 2,
  // With reordered frames (B-frames) the first frame is shown a few frames after 0. hls.js takes that for a hole, and
  // loads the segment before the hole again: on a slow connection, instead of the next one.
  maxBufferHole: 0.5,
  // No higher resolution than the player shows; a choice from the menu is not limited.
  capLevelToPlayerSize: true,
  // Captions are <track> elements of the page; these controllers would clear or switch them.
  subtitleTrackController: undefined,
  subtitleStreamController: undefined,
  timelineController: undefined,
  enableInterstitialPlayback: false,
};

/** Whether the browser has what hls.js needs. It can be asked before hls.js is loaded. */
export const hasMediaSource = () => Boolean(globalThis.ManagedMediaSource ?? globalThis.MediaSource);

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
 * hls.js does not reload a master playlist, and loading it again in the same instance discards the buffer, which
 * stops playback. So for a newer master a second instance is started beside the first. When the first has no
 * segment half loaded, the second takes over its MediaSource with the buffer, and loads what comes after.
 *
 * @param {object} Hls
 * @param {HTMLVideoElement} video
 * @param {string} master
 * @param {object} how
 * @param {number} how.at seconds to begin at
 * @param {string} how.choice of the quality menu
 * @param {() => void} how.changed the renditions, or the one being shown, have changed
 * @param {(label: string | null) => void} how.onSwitch a chosen quality is being loaded; null: it is shown
 * @param {(status: number) => void} how.refused the server answered 401, 403 or 404 to something
 * @param {() => void} how.interrupted the network failed, and loading has stopped
 * @param {() => void} how.flowing a segment has arrived
 * @param {() => void} how.failed HLS cannot be played
 */
export function playAdaptive(Hls, video, master, how) {
  const recoveries = [];
  let chosen = how.choice;
  let ahead = video.paused ? AHEAD_PAUSED_S : AHEAD_S;
  let renditions = [];
  let shown = null;
  let switching = false; // to a quality that was chosen
  let newer = null; // the instance with a newer master that will take over
  let inherited = 0; // seconds; the buffer up to here was loaded by an earlier instance

  const make = (more) => new Hls({ ...SETTINGS, maxMaxBufferLength: ahead, ...more });
  let hls = make({ startPosition: how.at > 0 ? how.at : -1, ...startLevel() });

  /** Listen to the instance that plays. */
  function listen() {
    hls.on(Hls.Events.LEVEL_SWITCHED, (_event, { level }) => {
      shown = renditions.find((one) => one.index === level)?.name ?? null;
      const wanted = levelOf(renditions, chosen);
      if (switching && (wanted === level || wanted === -1)) endSwitch();
      how.changed();
    });
    hls.on(Hls.Events.FRAG_LOADED, () => {
      keepEstimate(hls.bandwidthEstimate);
      how.flowing();
    });
    hls.on(Hls.Events.ERROR, onProblem);
  }

  function endSwitch() {
    switching = false;
    how.onSwitch(null);
    if (!video.paused) return;
    const { currentTime } = video; // a paused video shows new segments after a seek only
    video.currentTime = currentTime;
  }

  /**
   * Show a level at once, or, where its first segment would take long to come, after what is played meanwhile.
   * @param {number} level
   */
  function switchTo(level) {
    const { fragments, averagetargetduration: length = 4 } = hls.latestLevelDetails ?? {};
    const { maxBitrate } = hls.levels[level];
    if (fragments && secondsToLoad(maxBitrate, length, hls.bandwidthEstimate) < QUICK_S) {
      hls.currentLevel = level;
    } else {
      hls.nextLevel = level;
      skip();
    }
  }

  function onProblem(_event, problem) {
    const status = problem.response?.code;
    if (isRefusal(status)) how.refused(status);
    if (!problem.fatal) return;
    if (problem.type === Hls.ErrorTypes.NETWORK_ERROR && hls.levels.length > 0) how.interrupted();
    else if (problem.type === Hls.ErrorTypes.MEDIA_ERROR) recover();
    else how.failed();
  }

  function recover() {
    if (!mayRecover(recoveries)) return how.failed();
    inherited = 0;
    hls.recoverMediaError();
  }

  /** Choose the first level, once the master has been read and before a segment is loaded. */
  function chooseLevel(one) {
    const found = renditionsOf(one.levels);
    chosen = settledChoice(found, chosen);
    if (chosen !== "auto") one.loadLevel = levelOf(found, chosen);
    return found;
  }

  function renew() {
    newer?.destroy();
    const next = make({ autoStartLoad: false });
    newer = next;
    const wanted = levelOf(renditions, chosen) === null; // the chosen rendition is not in the present master
    const takeOver = (tolerating) => {
      if (newer !== next || !hasPlaylists(next)) return;
      if (hls.hasEnoughToStart && hasTime(video) && mayHandOver(hls, tolerating)) handOver({ wanted });
    };
    next.on(Hls.Events.ERROR, (_event, { fatal }) => {
      if (newer !== next || !fatal) return;
      newer = null; // the present instance plays on; the next event tries again
      next.destroy();
    });
    next.on(Hls.Events.MANIFEST_PARSED, () => {
      next.bandwidthEstimate = hls.bandwidthEstimate;
      chooseLevel(next);
      next.startLoad(bufferedUntil(video)); // without a media element it loads only playlists
    });
    // Take over between two segments, or when there is nothing to load.
    for (const event of [Hls.Events.LEVEL_LOADED, Hls.Events.AUDIO_TRACK_LOADED]) {
      next.on(event, () => queueMicrotask(() => takeOver({ loading: false })));
    }
    hls.on(Hls.Events.FRAG_BUFFERED, () => queueMicrotask(() => takeOver({ loading: true })));
    next.loadSource(master);
  }

  /** Let the newer instance continue with the buffer. */
  function handOver({ wanted }) {
    const media = hls.transferMedia();
    hls.destroy();
    hls = newer;
    newer = null;
    inherited = bufferedUntil(video);
    renditions = renditionsOf(hls.levels);
    listen();
    if (wanted) hls.once(Hls.Events.MEDIA_ATTACHED, skip);
    hls.startLevel = hls.loadLevel; // its playlist is loaded, so that loading starts at the given position
    hls.attachMedia(media);
    hls.stopLoad(); // otherwise audio starts to load before the video, and is cancelled
    // From a buffered part: segments may differ by a few frames at their ends, and must overlap.
    hls.startLoad(Math.max(video.currentTime, inherited - SEAM_S), true);
    how.changed();
  }

  /** Apply a choice at once instead of after the inherited buffer. */
  function skip() {
    if (inherited > video.currentTime) dropAhead(Hls, hls, video);
  }

  function loadFurther() {
    ahead = AHEAD_S;
    for (const one of [hls, newer]) {
      if (one) one.config.maxMaxBufferLength = ahead;
    }
  }

  video.addEventListener("play", loadFurther, { once: true });
  listen();
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    renditions = chooseLevel(hls);
    how.changed();
  });
  hls.loadSource(master);
  hls.attachMedia(video);
  return {
    /** The renditions that can be played, best first. */
    renditions: () => renditions,
    /** The name of the rendition being shown; null before it is known. */
    shown: () => shown,
    /** The choice of the viewer. */
    chosen: () => chosen,

    /** Whether the master has a rendition for a choice. */
    offers: (choice) => levelOf(renditions, choice) !== null,

    /** @param {string} choice of the quality menu; a missing rendition is used as soon as it is published */
    choose(choice) {
      chosen = choice;
      const level = levelOf(renditions, choice);
      const already =
        level !== null && (level < 0 || renditions.find((one) => one.index === level)?.name === shown);
      switching = !already;
      how.onSwitch(already ? null : labelOf(renditions, choice));
      if (level === null || newer) renew(); // with the new choice
      if (level === null) return;
      if (level < 0) hls.loadLevel = -1;
      else switchTo(level);
    },

    /** Facts for those who want to know: the level being shown, and what is known of the line. */
    facts: () => ({
      rendition: shown,
      level: hls.levels[hls.currentLevel],
      bandwidth: hls.bandwidthEstimate,
    }),

    renew,
    /** The element itself reported an error. */
    recover,
    pause: () => hls.stopLoad(),
    resume() {
      const rest = inherited > video.currentTime;
      hls.startLoad(rest ? inherited : -1, rest);
    },
    end() {
      if (switching) how.onSwitch(null);
      video.removeEventListener("play", loadFurther);
      newer?.destroy();
      hls.destroy();
    },
  };
}

/** The lowest rendition comes first, unless the line is known to be fast. */
function startLevel() {
  const estimate = startEstimate();
  return estimate === null
    ? { startLevel: 0 }
    : { startLevel: -1, abrEwmaDefaultEstimate: estimate, abrEwmaDefaultEstimateMax: estimate };
}

/** Whether enough is buffered to play on while the instances change. */
function hasTime(video) {
  const until = bufferedUntil(video);
  return video.paused || until - video.currentTime >= SPARE_S || until > video.duration - 1;
}

function mayRecover(recoveries) {
  const now = performance.now();
  recoveries.push(now);
  return recoveries.filter((then) => now - then < RECOVERIES_WITHIN_MS).length <= RECOVERIES;
}
