/** Stats for nerds: what is being played, over the video. */
import { formatSpeed } from "../format.js";
import { locale, t } from "../i18n.js";
import { bufferedUntil } from "./hls-handover.js";

const EVERY_MS = 1000;

/**
 * Facts about playback, as pairs of a name and a value.
 * @param {object} now
 * @param {{width: number, height: number}} now.picture in pixels
 * @param {{width: number, height: number}} now.shown size of the player in pixels
 * @param {{kind: string, rendition?: string | null, bandwidth?: number,
 *   level?: {bitrate: number, codecSet?: string, videoCodec?: string, audioCodec?: string}}} now.source
 * @param {number} now.buffered seconds ahead
 * @param {{droppedVideoFrames: number, totalVideoFrames: number} | undefined} now.frames
 * @returns {[string, string][]}
 */
export function listFacts({ picture, shown, source, buffered, frames }) {
  const { kind, rendition, level, bandwidth } = source;
  const found = [
    [t("Picture"), `${picture.width}×${picture.height}`],
    [t("Player"), `${Math.round(shown.width)}×${Math.round(shown.height)}`],
    [t("Source"), kind === "file" ? t("The uploaded file") : `HLS${rendition ? `, ${rendition}` : ""}`],
  ];
  if (level) {
    const codecs = [level.videoCodec, level.audioCodec].filter(Boolean).join(", ");
    if (codecs) found.push([t("Codecs"), codecs]);
    found.push([t("Bit rate"), formatSpeed(level.bitrate / 8)]);
  }
  if (bandwidth) found.push([t("Connection"), formatSpeed(bandwidth / 8)]);
  found.push([
    t("Buffer"),
    t("{seconds} s", { seconds: buffered.toLocaleString(locale(), { maximumFractionDigits: 1 }) }),
  ]);
  if (frames) {
    const { droppedVideoFrames: dropped, totalVideoFrames: all } = frames;
    found.push([t("Dropped frames"), t("{dropped} of {all}", { dropped, all })]);
  }
  return found;
}

/**
 * @param {HTMLElement} container
 * @param {HTMLVideoElement} video
 * @param {{facts: () => object}} source
 * @returns {(on: boolean) => void} shows or hides them
 */
export function enableFacts(container, video, source) {
  const box = document.createElement("dl");
  box.className = "player-facts";
  box.hidden = true;
  container.append(box);
  let timer;

  function draw() {
    const facts = listFacts({
      picture: { width: video.videoWidth, height: video.videoHeight },
      shown: video.getBoundingClientRect(),
      source: source.facts(),
      buffered: bufferedUntil(video) - video.currentTime,
      frames: video.getVideoPlaybackQuality?.(),
    });
    box.replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  }

  return (on) => {
    clearInterval(timer);
    box.hidden = !on;
    if (!on) return;
    draw();
    timer = setInterval(draw, EVERY_MS);
  };
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
