/**
 * Where the pictures come from: the file as it was uploaded, which plays at once, or HLS.
 *
 * HLS is taken as soon as nobody notices: before the first picture, in a pause, at a jump, or when
 * the file stalls. If it fails, the file goes on from the same place.
 */
import { loadAdaptive, playAdaptive } from "./adaptive.js";
import { firstPicture, freeze } from "./freeze.js";
import { foreseen, levelOf, qualityChoices, renditionsOf } from "./quality.js";
import { ask, formatName } from "./trouble.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";

/** A pause that is part of a jump ends sooner; a stall that nobody sees, too. */
const SETTLED_MS = 600;
const STALLED_MS = 300;

/** Between tries while the network is away, doubling. */
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

const REFUSALS = [401, 403, 404];

/**
 * @param {HTMLVideoElement} video with the file as its <source>, or the HLS master if the file is none
 * @param {object} what
 * @param {number} what.start seconds to begin at
 * @param {string} what.codec of the file, as the server calls it
 * @param {() => void} what.changed other choices, or another one is made
 * @param {(trouble: {status: number | null, decoding?: boolean}) => void} what.troubled
 * @param {() => void} what.cleared the trouble is over
 */
export function makeSource(video, { start, codec, changed, troubled, cleared }) {
  const source = video.querySelector("source");
  const file = source.src;
  const isFile = source.type !== HLS_TYPE; // browsers cannot play what was uploaded otherwise
  let kind = "file";
  let master = null;
  let usable = true; // HLS has not failed yet
  let waiting = false; // for a moment to take HLS, or more of it
  let changing = false;
  let chosen = "auto";
  let renditions = [];
  let adaptive = null;
  let filePlays = isFile && formatName(codec) === "H.264";
  let pressed = false;
  let due = false;
  let asking = false;
  let refusal = null;
  let retry = null;
  let thaw = null; // takes the still picture away
  let settling = new AbortController();

  const loading = { script: null };
  const script = () => {
    loading.script ??= loadAdaptive();
    return loading.script;
  };
  const play = () => video.play().catch(() => {}); // paused again meanwhile, or not allowed

  /** Put something else into the element, at the same place and at the same speed. */
  function change(to, put) {
    const at = video.readyState > 0 ? video.currentTime : Math.max(start, video.currentTime);
    const playing = !video.paused && !video.ended;
    thaw ??= freeze(video);
    settling.abort();
    settling = new AbortController();
    const { signal } = settling;
    video.defaultPlaybackRate = video.playbackRate;
    adaptive?.end();
    adaptive = null;
    kind = to;
    put(at);
    if (playing) play();
    firstPicture(video, signal).then(() => {
      if (signal.aborted) return; // what came after it thaws
      thaw();
      thaw = null;
    });
  }

  /** Nobody would notice a change now. */
  const quiet = () =>
    broken() ||
    (video.paused && !video.ended) ||
    video.seeking ||
    video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;

  async function take(choice, { byHand = false } = {}) {
    if (changing || !master || !usable) return;
    changing = true;
    waiting = false;
    try {
      const Hls = await script();
      if (!byHand && !quiet()) {
        waiting = true; // it has begun to play while the script was loaded
      } else if (Hls) {
        change("adaptive", (at) => {
          chosen = choice;
          adaptive = playAdaptive(Hls, video, master, { at, ready, switched: changed, ...outcomes });
        });
      } else if (video.canPlayType(HLS_TYPE)) {
        change("native", (at) => {
          chosen = "auto";
          video.src = master;
          video.currentTime = at;
        });
      } else {
        unusable();
      }
    } catch {
      unusable(); // the script cannot be loaded
    } finally {
      changing = false;
      changed();
    }
  }

  function ready(hls) {
    renditions = renditionsOf(hls.levels);
    const level = levelOf(renditions, chosen);
    if (level === null) chosen = "auto";
    else if (level >= 0) hls.loadLevel = level;
    changed();
  }

  function takeFile() {
    change("file", (at) => {
      video.removeAttribute("src");
      video.load();
      video.currentTime = at;
    });
    changed();
  }

  function unusable() {
    usable = false;
    waiting = false;
    if (kind !== "file") takeFile();
    else if (broken()) report();
    changed();
  }

  const broken = () => Boolean(video.error) || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE;

  const outcomes = {
    failed: unusable,
    refused: () => checkRefusal(master),
    interrupted: () => tryAgain(() => adaptive?.hls.startLoad()),
    flowing() {
      clearTimeout(retry?.timer);
      if (retry) cleared();
      retry = null;
    },
  };

  /** One rendition may have been replaced; what counts is whether the video can still be had. */
  async function checkRefusal(url) {
    if (asking || refusal) return;
    asking = true;
    const status = await ask(url);
    asking = false;
    if (!REFUSALS.includes(status)) return;
    refusal = url;
    adaptive?.hls.stopLoad();
    troubled({ status });
  }

  /** Signed in again in another tab, for instance. */
  async function checkReturn() {
    if (!refusal || document.visibilityState !== "visible") return;
    const status = await ask(refusal);
    if (status === null || status >= 400) return;
    refusal = null;
    cleared();
    if (adaptive) adaptive.hls.startLoad();
    else takeFile();
  }

  function tryAgain(act) {
    const wait = Math.min((retry?.wait ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS);
    clearTimeout(retry?.timer);
    retry = { wait, act, timer: setTimeout(act, wait) };
    troubled({ status: null });
  }

  async function report() {
    const code = video.error?.code;
    const status = await ask(file);
    if (REFUSALS.includes(status)) refusal = file;
    const passing = code === MediaError.MEDIA_ERR_NETWORK && status < 400;
    if (status === null || passing) tryAgain(takeFile);
    else troubled({ status, decoding: code === MediaError.MEDIA_ERR_DECODE });
  }

  function onError() {
    if (kind === "adaptive") {
      adaptive?.mend();
    } else if (kind === "native") {
      unusable();
    } else {
      filePlays = false;
      if (master && usable && video.error?.code !== MediaError.MEDIA_ERR_NETWORK) take("auto");
      else report();
    }
  }

  const moment = () => {
    if (waiting) take(kind === "file" ? "auto" : chosen);
  };
  const later = (milliseconds, still) =>
    setTimeout(() => {
      if (still()) moment();
    }, milliseconds);

  video.addEventListener("pause", () =>
    later(SETTLED_MS, () => video.paused && !video.ended && !video.seeking && !pressed),
  );
  video.addEventListener("waiting", () => {
    const stalled = () => !video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (kind === "file") later(STALLED_MS, stalled);
  });
  video.addEventListener("seeking", () => {
    if (pressed) due = true;
    else moment();
  });
  addEventListener("pointerdown", () => {
    pressed = true;
  });
  for (const event of ["pointerup", "pointercancel"]) {
    addEventListener(event, () => {
      pressed = false;
      // The player goes on playing only after this.
      if (due) setTimeout(moment);
      due = false;
    });
  }
  video.addEventListener("loadedmetadata", () => {
    if (kind !== "file") return;
    if (video.videoWidth > 0) filePlays = isFile;
    outcomes.flowing();
  });
  video.addEventListener("error", onError);
  source.addEventListener("error", () => {
    if (kind === "file" && !changing) onError();
  });
  addEventListener("online", () => retry?.act());
  addEventListener("focus", checkReturn);
  document.addEventListener("visibilitychange", checkReturn);

  return {
    /** What the quality menu shows. */
    choices: () =>
      qualityChoices({
        renditions,
        playing: adaptive
          ? (renditions.find((one) => one.index === adaptive.hls.currentLevel)?.name ?? null)
          : null,
        chosen: kind === "file" ? "original" : chosen,
        adaptive: Boolean(master) && usable,
        originalPlays: filePlays,
      }),

    /** @param {string} choice of the menu */
    choose(choice) {
      const level = adaptive && levelOf(renditions, choice);
      waiting &&= choice !== "original";
      if (typeof level === "number") {
        chosen = choice;
        if (level < 0) adaptive.hls.loadLevel = -1;
        else adaptive.hls.nextLevel = level;
      } else if (choice !== "original") {
        take(choice, { byHand: true });
      } else if (kind !== "file") {
        takeFile();
      }
      changed();
    },

    /**
     * Say that there is HLS, or more of it than before.
     * @param {string} url of the master
     * @param {number[]} heights as far as they are known
     */
    offer(url, heights = []) {
      master = url;
      waiting = usable;
      const known = new Set(renditions.map((one) => one.name));
      const fresh = foreseen(heights).filter((one) => !known.has(one.name));
      renditions = [...fresh, ...renditions].sort((a, b) => b.lines - a.lines);
      script().catch(() => {}); // on its way before it is needed
      if (broken() || (video.paused && !video.ended && !pressed)) {
        if (broken()) cleared();
        moment();
      }
      changed();
    },

    /** Look at what happened before this script ran. */
    begin() {
      if (start > 0 && video.readyState === 0) video.currentTime = start;
      else if (start > 0 && video.currentTime === 0) video.currentTime = start;
      setTimeout(() => {
        if (kind === "file" && !changing && broken()) onError();
      }, 1000);
    },
  };
}
