/**
 * The watch page. Without this script the browser's own player does everything but remember.
 *
 * What plays the video comes first, and the control bar with all the rest when there is a picture to control.
 */
import { makeMessage } from "./watch/message.js";
import { startPlayback } from "./watch/playback.js";
import { enableTheatre } from "./watch/theatre.js";

const container = document.getElementById("player-container");
const video = document.getElementById("player");
const page = document.querySelector(".watch");
const playerError = document.getElementById("player-error");

const message = makeMessage(container);
const theatre = enableTheatre(page);
const playback = startPlayback(container, video, {
  message,
  showError(sentence) {
    document.getElementById("player-error-text").textContent = sentence ?? "";
    playerError.hidden = sentence === null;
  },
});

playback.ready
  .then(() => import("./watch/page.js"))
  .then(({ enablePage }) => enablePage(container, video, { ...playback, message, theatre }))
  .catch((error) => {
    console.warn("The browser's own controls are used:", error);
    video.controls = true;
  })
  .finally(() => {
    playback.endFirstPlay();
    page?.classList.add("is-ready");
  });
