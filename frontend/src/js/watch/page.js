/** Everything of the watch page that can wait until the video has a picture. */
import { enableChapters } from "./chapters.js";
import { makeControls } from "./controls.js";
import { enableFacts } from "./facts.js";
import { listenForShortcuts } from "./keyboard.js";
import { enableMediaKeys } from "./media-session.js";
import { enableCopyLinks, enableToggle } from "./more-menu.js";
import { enableNext } from "./next-up.js";
import { enableTaps } from "./taps.js";
import { enableTimes } from "./times.js";
import { enableTranscript } from "./transcript.js";

/**
 * @param {HTMLElement} container of the player
 * @param {HTMLVideoElement} video
 * @param {object} playback what `watch.js` has made already
 */
export function enablePage(container, video, playback) {
  const { message, source, theatre } = playback;
  const controls = makeControls(container, video, playback);
  const chapters = enableChapters(video, controls.seekBar);
  const shortcuts = document.getElementById("shortcuts");
  const showShortcuts = () => shortcuts.showModal();

  listenForShortcuts(video, {
    say: message.say,
    showShortcuts,
    toggleCaptions: controls.toggleCaptions,
    toggleFullscreen: controls.toggleFullscreen,
    toggleTheatre: () => theatre && controls.toggleTheatre(),
  });
  enableTimes(video, container);
  enableTaps(container, video);
  enableMediaKeys(video, { chapters, ...container.dataset });
  enableTranscript(video, controls.captions);
  enableNext(container, video);
  enableMenu({ container, video, source, showShortcuts });
}

function enableMenu({ container, video, source, showShortcuts }) {
  const menu = document.getElementById("more");
  if (!menu) return; // a frame in another site has no room for it
  menu.hidden = false;
  menu.addEventListener("toggle", () => {
    if (menu.open) menu.querySelector(".popup").scrollIntoView({ block: "nearest" });
  });
  const button = document.getElementById("show-shortcuts");
  button.hidden = false;
  button.addEventListener("click", () => {
    menu.open = false;
    showShortcuts();
  });
  enableCopyLinks(menu, video);
  enableToggle("loop", (on) => {
    video.loop = on;
  });
  const showFacts = enableFacts(container, video, source);
  enableToggle("show-facts", showFacts);
}
