/**
 * What the video element plays: HLS if the video has renditions, otherwise the uploaded file.
 *
 * Where there is HLS the file is not requested at all: the best rendition holds the same video. While nothing is
 * prepared yet, the file plays. Changing from it to HLS resets the element, which interrupts playback. So HLS
 * replaces the file only when the viewer will not notice: in a pause, at a seek, when the file stalls, or when the
 * viewer chooses a quality. Renditions that are published while HLS plays are taken at once, which does not
 * interrupt it: see `adaptive.js`. If HLS fails, the file plays from the same position.
 */
import { hasMediaSource, loadAdaptive, playAdaptive } from "./adaptive.js";
import { makeConnection } from "./connection.js";
import { watchIdleMoments } from "./idle-moments.js";
import { formatName } from "./player-errors.js";
import { qualityChoices, withForeseen } from "./quality.js";
import { makeSourceSwap } from "./source-swap.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";

/**
 * @param {HTMLVideoElement} video with the file as its <source>, or the HLS master if browsers cannot play the file
 * @param {object} what
 * @param {number} what.start seconds to begin at
 * @param {string} what.codec of the file, as the server calls it
 * @param {string | undefined} what.master of the renditions, if there are any
 * @param {() => void} what.changed the choices, or the chosen one, have changed
 * @param {(label: string | null) => void} what.onSwitch another quality is being loaded; null: it is shown
 * @param {(problem: {status: number | null, decoding?: boolean}) => void} what.onError
 * @param {() => void} what.onRecovered the error is over
 */
export function makeSource(video, { start, codec, master: first, changed, onSwitch, onError, onRecovered }) {
  const source = video.querySelector("source");
  const file = source.src;
  const isFile = source.type !== HLS_TYPE; // browsers cannot play what was uploaded otherwise
  const swapSource = makeSourceSwap(video, start);
  let kind = "file"; // "none" until hls.js has been loaded
  let master = first ?? null;
  let usable = true; // HLS has not failed yet
  let waiting = false; // for an idle moment to switch to HLS, or for renditions newer than those being loaded
  let changing = false;
  let heights = []; // of the renditions, as the server reports them
  let adaptive = null;
  let filePlays = isFile && formatName(codec) === "H.264";

  let loading = null;
  const script = () => {
    loading ??= loadAdaptive();
    return loading;
  };

  const broken = () => Boolean(video.error) || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE;
  const idleMoments = watchIdleMoments(video, () => {
    if (waiting) take("auto");
  });
  const connection = makeConnection({
    onError,
    onRecovered,
    halt: () => adaptive?.pause(),
    resume: () => (adaptive ? adaptive.resume() : takeFile()),
  });

  function change(to, put) {
    swapSource((at) => {
      adaptive?.end();
      adaptive = null;
      kind = to;
      put(at);
    });
  }

  async function take(choice, { byHand = false } = {}) {
    if (changing || !master || !usable) return;
    changing = true;
    waiting = false;
    try {
      const Hls = hasMediaSource() ? await script() : null;
      if (!byHand && !broken() && !idleMoments.quiet()) {
        waiting = true; // playback began while the script was loading
      } else if (Hls) {
        change("adaptive", (at) => {
          adaptive = playAdaptive(Hls, video, master, { at, choice, changed, onSwitch, ...outcomes });
        });
      } else if (video.canPlayType(HLS_TYPE)) {
        change("native", (at) => {
          video.preload = "metadata";
          video.src = master;
          if (at > 0) video.currentTime = at;
        });
      } else {
        unusable();
      }
    } catch {
      unusable(); // the script cannot be loaded
    } finally {
      changing = false;
      if (adaptive && waiting) renew(); // more renditions were published meanwhile
      changed();
    }
  }

  function renew() {
    waiting = false;
    adaptive.renew();
  }

  function takeFile() {
    change("file", (at) => {
      video.removeAttribute("src");
      if (!source.isConnected) video.prepend(source);
      video.preload = "metadata";
      video.load();
      video.currentTime = at;
    });
    changed();
  }

  /** Keep the browser from requesting the file. Whoever has pressed play already need not press it again. */
  function withholdFile() {
    const playing = !video.paused;
    kind = "none";
    source.remove();
    video.load();
    if (playing) video.play().catch(() => {}); // the source that comes next plays
  }

  function unusable() {
    usable = false;
    waiting = false;
    if (kind !== "file") takeFile();
    else if (broken()) report();
    changed();
  }

  const outcomes = {
    failed: unusable,
    refused: () => connection.checkRefusal(master),
    interrupted: () => connection.tryAgain(() => adaptive?.resume()),
    flowing: connection.flowing,
  };

  async function report() {
    const code = video.error?.code;
    const status = await connection.look(file);
    const passing = code === MediaError.MEDIA_ERR_NETWORK && status < 400;
    if (status === null || passing) connection.tryAgain(takeFile);
    else onError({ status, decoding: code === MediaError.MEDIA_ERR_DECODE });
  }

  function handleMediaError() {
    if (kind === "adaptive") {
      adaptive?.recover();
    } else if (kind === "native") {
      unusable();
    } else {
      filePlays = false;
      if (master && usable && video.error?.code !== MediaError.MEDIA_ERR_NETWORK) take("auto");
      else report();
    }
  }

  video.addEventListener("loadedmetadata", () => {
    if (kind !== "file") return;
    if (video.videoWidth > 0) filePlays = isFile;
    connection.flowing();
  });
  video.addEventListener("error", handleMediaError);
  source.addEventListener("error", () => {
    if (kind === "file" && !changing) handleMediaError();
  });

  return {
    /** The entries of the quality menu. */
    choices: () =>
      qualityChoices({
        renditions: withForeseen(adaptive?.renditions() ?? [], heights),
        playing: adaptive?.shown() ?? null,
        chosen: kind === "file" ? "original" : (adaptive?.chosen() ?? "auto"),
        adaptive: Boolean(master) && usable,
        originalPlays: filePlays,
      }),

    /** @param {string} choice of the menu */
    choose(choice) {
      // The original may be a rendition too. A rendition that HLS does not have yet is fetched.
      if (adaptive && (choice !== "original" || adaptive.offers(choice))) {
        adaptive.choose(choice);
      } else if (choice !== "original") {
        take(choice, { byHand: true });
      } else {
        waiting = false;
        if (kind !== "file") takeFile();
      }
      changed();
    },

    /**
     * Report that there is HLS, or that it has more renditions than before.
     * @param {string} url of the master
     * @param {number[]} known heights of its renditions, as far as they are known
     */
    offer(url, known = []) {
      master = url;
      heights = known;
      if (adaptive) {
        renew();
      } else if (kind !== "none") {
        waiting = usable;
        script().catch(() => {}); // load it before it is needed
        if (broken()) onRecovered();
        if (waiting && (broken() || idleMoments.settled())) take("auto");
      }
      changed();
    },

    /** Facts about what is being played: see `adaptive.js`. */
    facts: () => ({ kind, ...adaptive?.facts() }),

    /** Begin with HLS, or handle what happened to the file before this script ran. */
    begin() {
      if (master) {
        withholdFile();
        take("auto", { byHand: true });
        return;
      }
      video.preload = "metadata";
      if (start > 0 && (video.readyState === 0 || video.currentTime === 0)) video.currentTime = start;
      setTimeout(() => {
        if (kind === "file" && !changing && broken()) handleMediaError();
      }, 1000);
    },
  };
}
