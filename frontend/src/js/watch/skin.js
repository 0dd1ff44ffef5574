/** Plyr: the buttons and bars over the picture. Nothing else knows that it is Plyr. */

import iconUrl from "static:icons.svg";
import Plyr from "plyr";
import { SPEEDS } from "./keys.js";

const WORDS = {
  play: "Play",
  pause: "Pause",
  seek: "Seek",
  seekLabel: "{currentTime} of {duration}",
  currentTime: "Current time",
  duration: "Length",
  volume: "Volume",
  mute: "Mute",
  unmute: "Unmute",
  enterFullscreen: "Full screen",
  exitFullscreen: "Leave full screen",
  pip: "Picture in picture",
  airplay: "AirPlay",
};

/**
 * Put our own controls in the place of the browser's.
 * @param {HTMLVideoElement} video with volume and speed as they were left
 * @param {string} screen a selector for what fills the display in full screen
 * @returns {Plyr}
 */
export function dress(video, screen) {
  return new Plyr(video, {
    iconUrl,
    iconPrefix: "plyr",
    blankVideo: "", // only for changing the source through Plyr, which we never do
    controls: [
      "play-large",
      "play",
      "progress",
      "current-time",
      "duration",
      "mute",
      "volume",
      "pip",
      "airplay",
      "fullscreen",
    ],
    settings: [], // our menu knows about renditions that come later, and shows labels as text
    keyboard: { focused: false, global: false }, // keys.js
    storage: { enabled: false }, // memory.js
    volume: video.volume,
    muted: video.muted,
    speed: { selected: video.playbackRate, options: SPEEDS },
    captions: { active: false }, // captions.js
    fullscreen: { enabled: true, fallback: true, iosNative: false, container: screen },
    invertTime: false,
    toggleInvert: false,
    disableContextMenu: false,
    i18n: WORDS,
  });
}

/**
 * Show small pictures above the bar. They tell nothing that the time does not, and Plyr gives them no words, so
 * they are kept from screen readers.
 * @param {Plyr} skin
 * @param {object} thumbnails of `storyboard.js`
 */
export function showPreviews(skin, thumbnails) {
  const { container } = skin.elements;
  const hide = (_changes, observer) => {
    const boxes = container.querySelectorAll(".plyr__preview-thumb, .plyr__preview-scrubbing");
    for (const box of boxes) box.setAttribute("aria-hidden", "true");
    if (boxes.length === 2) observer.disconnect();
  };
  new MutationObserver(hide).observe(container, { childList: true, subtree: true });
  skin.setPreviewThumbnails({ enabled: true, src: (give) => give([thumbnails]) });
}
