/** Plyr: the control bar over the video. No other module depends on it. */

import iconUrl from "static:icons.svg";
import Plyr from "plyr";
import { SPEEDS } from "./keyboard.js";
import { makeTimeDisplay } from "./time-display.js";

const WORDS = {
  play: "Play",
  pause: "Pause",
  seek: "Seek",
  seekLabel: "{currentTime} of {duration}",
  volume: "Volume",
  mute: "Mute",
  unmute: "Unmute",
  enterFullscreen: "Full screen",
  exitFullscreen: "Leave full screen",
  pip: "Picture in picture",
  airplay: "AirPlay",
};

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
    i18n: WORDS,
  });
  plyr.elements.progress?.parentElement.after(...makeTimeDisplay(video, length));
  return plyr;
}

/**
 * Show thumbnails above the seek bar. They have no text alternative and say no more than the time, so they are
 * hidden from screen readers.
 * @param {Plyr} plyr
 * @param {object} thumbnails of `storyboard.js`
 */
export function showPreviews(plyr, thumbnails) {
  const { container } = plyr.elements;
  const hide = (_changes, observer) => {
    const boxes = container.querySelectorAll(".plyr__preview-thumb, .plyr__preview-scrubbing");
    for (const box of boxes) box.setAttribute("aria-hidden", "true");
    if (boxes.length < 2) return;
    observer.disconnect();
    trimTime(container.querySelector(".plyr__preview-thumb__time-container span"));
  };
  new MutationObserver(hide).observe(container, { childList: true, subtree: true });
  plyr.setPreviewThumbnails({ enabled: true, src: (give) => give([thumbnails]) });
}

/** Plyr pads minutes, "00:33". Everywhere else times have no leading zero. */
function trimTime(time) {
  const trim = () => {
    const trimmed = time.textContent.replace(/^0(?=\d:)/, "");
    if (trimmed !== time.textContent) time.textContent = trimmed;
  };
  new MutationObserver(trim).observe(time, { childList: true });
}
