/** Plyr: the control bar over the video. No other module depends on it. */

import iconUrl from "static:icons.svg";
import Plyr from "plyr";
import { t } from "../i18n.js";
import { SPEEDS } from "./keyboard.js";
import { makeTimeDisplay } from "./time-display.js";

/** Plyr fills in the places itself. */
const PLACES = { currentTime: "{currentTime}", duration: "{duration}" };

const words = () => ({
  play: t("Play"),
  pause: t("Pause"),
  seek: t("Seek"),
  seekLabel: t("{currentTime} of {duration}", PLACES),
  volume: t("Volume"),
  mute: t("Mute"),
  unmute: t("Unmute"),
  enterFullscreen: t("Full screen"),
  exitFullscreen: t("Leave full screen"),
  pip: t("Picture in picture"),
  buffered: t("buffered"),
  airplay: "AirPlay",
});

/**
 * Replace the browser's controls.
 * @param {HTMLVideoElement} video with volume and speed as they were left
 * @param {string} container a selector for what fills the display in full screen
 * @param {object} about
 * @param {number} about.length of the video in seconds
 * @param {MediaMetadataInit} about.metadata title and artwork for the media session
 * @returns {Plyr}
 */
export function makePlyr(video, container, { length, metadata }) {
  // Plyr copies the element, to put the copy back if it is ever removed. A copy would request the source again.
  video.cloneNode = () => document.createElement("video");
  const plyr = new Plyr(video, {
    iconUrl,
    iconPrefix: "plyr",
    blankVideo: "", // only used when the source is changed through Plyr
    controls: ["play-large", "play", "progress", "mute", "volume", "pip", "airplay", "fullscreen"],
    settings: [], // menu.js: it handles renditions that appear later, and shows labels as text
    keyboard: { focused: false, global: false }, // keyboard.js
    storage: { enabled: false }, // preferences.js
    volume: video.volume,
    muted: video.muted,
    speed: { selected: video.playbackRate, options: SPEEDS },
    captions: { active: false }, // captions.js
    fullscreen: { enabled: true, fallback: true, iosNative: false, container },
    invertTime: false,
    toggleInvert: false,
    disableContextMenu: false,
    mediaMetadata: metadata, // for lock screens and headphones
    i18n: words(),
  });
  delete video.cloneNode;
  plyr.elements.progress?.parentElement.after(...makeTimeDisplay(video, length));
  return plyr;
}

/**
 * Marks on the seek bar, and names beside the times that it shows.
 * @param {Plyr} plyr
 */
export function makeSeekBar(plyr) {
  const marks = document.createElement("div");
  marks.className = "seek-marks";
  marks.setAttribute("aria-hidden", "true");
  plyr.elements.progress.append(marks);
  let nameAt = () => "";

  /** Plyr pads minutes, "00:33". Everywhere else times have no leading zero. */
  function dress(time) {
    const change = () => {
      const shown = time.textContent;
      if (!/^\d+(:\d\d)+$/.test(shown)) return;
      const seconds = shown.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
      const dressed = [shown.replace(/^0(?=\d:)/, ""), nameAt(seconds)].filter(Boolean).join(" · ");
      if (dressed !== shown) time.textContent = dressed;
    };
    new MutationObserver(change).observe(time, { childList: true });
  }

  const tooltip = plyr.elements.display.seekTooltip;
  if (tooltip) dress(tooltip);
  return {
    dress,
    /** @param {number[]} shares where marks are, from 0 to 1; none is drawn at the start */
    mark(shares) {
      const made = shares
        .filter((share) => share > 0 && share < 1)
        .map((share) => {
          const mark = document.createElement("span");
          mark.style.insetInlineStart = `${100 * share}%`;
          return mark;
        });
      marks.replaceChildren(...made);
    },
    /** @param {(seconds: number) => string} name of a time; may be empty */
    nameTimes(name) {
      nameAt = name;
    },
  };
}

/**
 * Show thumbnails above the seek bar. They have no text alternative and say no more than the time, so they are
 * hidden from screen readers.
 * @param {Plyr} plyr
 * @param {object} seekBar of `makeSeekBar`
 * @param {object} thumbnails of `storyboard.js`
 */
export function showPreviews(plyr, seekBar, thumbnails) {
  const { container } = plyr.elements;
  const hide = (_changes, observer) => {
    const boxes = container.querySelectorAll(".plyr__preview-thumb, .plyr__preview-scrubbing");
    for (const box of boxes) box.setAttribute("aria-hidden", "true");
    if (boxes.length < 2) return;
    observer.disconnect();
    seekBar.dress(container.querySelector(".plyr__preview-thumb__time-container span"));
  };
  new MutationObserver(hide).observe(container, { childList: true, subtree: true });
  plyr.setPreviewThumbnails({ enabled: true, src: (give) => give([thumbnails]) });
}
