/**
 * Where the pictures come from: the file as it was uploaded, which plays at once, or HLS.
 *
 * HLS is taken in the place of the file as soon as nobody notices: before the first picture, in a
 * pause, at a jump, when the file stalls, or when somebody chooses a quality. To change from one to
 * the other empties the element, for which nobody who watches the file in its full quality should be
 * interrupted. What HLS gets while it plays it takes at once, since that interrupts nothing: see
 * `adaptive.js`. If it fails, the file goes on from the same place.
 */
import { loadAdaptive, playAdaptive } from "./adaptive.js";
import { makeConnection } from "./connection.js";
import { makeExchange } from "./exchange.js";
import { watchMoments } from "./moments.js";
import { qualityChoices, withForeseen } from "./quality.js";
import { formatName } from "./trouble.js";

const HLS_TYPE = "application/vnd.apple.mpegurl";

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
  const exchange = makeExchange(video, start);
  let kind = "file";
  let master = null;
  let usable = true; // HLS has not failed yet
  let waiting = false; // for a moment to take HLS, or more of it than is being taken
  let changing = false;
  let heights = []; // of what HLS has, as the server tells them
  let adaptive = null;
  let filePlays = isFile && formatName(codec) === "H.264";

  let loading = null;
  const script = () => {
    loading ??= loadAdaptive();
    return loading;
  };

  const broken = () => Boolean(video.error) || video.networkState === HTMLMediaElement.NETWORK_NO_SOURCE;
  const moments = watchMoments(video, () => {
    if (waiting) take("auto");
  });
  const connection = makeConnection({
    troubled,
    cleared,
    halt: () => adaptive?.pause(),
    resume: () => (adaptive ? adaptive.resume() : takeFile()),
  });

  function change(to, put) {
    exchange((at) => {
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
      const Hls = await script();
      if (!byHand && !broken() && !moments.quiet()) {
        waiting = true; // it has begun to play while the script was loaded
      } else if (Hls) {
        change("adaptive", (at) => {
          adaptive = playAdaptive(Hls, video, master, { at, choice, changed, ...outcomes });
        });
      } else if (video.canPlayType(HLS_TYPE)) {
        change("native", (at) => {
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
      if (adaptive && waiting) renew(); // there was news meanwhile
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

  video.addEventListener("loadedmetadata", () => {
    if (kind !== "file") return;
    if (video.videoWidth > 0) filePlays = isFile;
    connection.flowing();
  });
  video.addEventListener("error", onError);
  source.addEventListener("error", () => {
    if (kind === "file" && !changing) onError();
  });

  return {
    /** What the quality menu shows. */
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
      // The original may be a rendition too; any other that HLS has not yet comes to it.
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
     * Say that there is HLS, or more of it than before.
     * @param {string} url of the master
     * @param {number[]} known heights of it, as far as they are known
     */
    offer(url, known = []) {
      master = url;
      heights = known;
      if (adaptive) {
        renew();
      } else {
        waiting = usable;
        script().catch(() => {}); // on its way before it is needed
        if (broken()) cleared();
        if (waiting && (broken() || moments.settled())) take("auto");
      }
      changed();
    },

    /** Look at what happened before this script ran. */
    begin() {
      if (start > 0 && (video.readyState === 0 || video.currentTime === 0)) video.currentTime = start;
      setTimeout(() => {
        if (kind === "file" && !changing && broken()) onError();
      }, 1000);
    },
  };
}
