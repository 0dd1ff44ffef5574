/** The watch page. Without this script the browser's own player does everything but remember. */
import { formatClock } from "./format.js";
import { enableCopyLink } from "./watch/copy-link.js";
import { listenForShortcuts } from "./watch/keyboard.js";
import { playNext } from "./watch/next-up.js";
import { makePlayer } from "./watch/player.js";

const STATUS_MS = 1500;
const RESUMED_MS = 8000; // long enough to reach the button beside it

const container = document.getElementById("player-container");
const video = document.getElementById("player");
const status = document.getElementById("player-status");
const startOver = document.getElementById("start-over");
const playerError = document.getElementById("player-error");
const nextMessage = document.getElementById("next-message");
const copyLink = document.getElementById("copy-link");
const shortcuts = document.getElementById("shortcuts");
const showShortcuts = document.getElementById("show-shortcuts");
let timer;

function say(sentence, duration = STATUS_MS) {
  status.textContent = sentence;
  startOver.hidden = true;
  clearTimeout(timer);
  timer = setTimeout(clearStatus, duration);
}

function clearStatus() {
  status.textContent = "";
  startOver.hidden = true;
}

function sayResumed(seconds) {
  say(`Resumed at ${formatClock(seconds)}`, RESUMED_MS);
  startOver.hidden = false;
  startOver.addEventListener("click", () => {
    video.currentTime = 0;
    clearStatus();
  });
}

const player = makePlayer(container, video, {
  showError(sentence) {
    document.getElementById("player-error-text").textContent = sentence ?? "";
    playerError.hidden = sentence === null;
  },
});
listenForShortcuts(video, { say, showShortcuts: () => shortcuts.showModal(), ...player });
if (player.start > 0) sayResumed(player.start);
if (nextMessage) playNext(video, nextMessage);
if (copyLink) enableCopyLink(copyLink);
// A frame in another site has no room for the button.
if (showShortcuts) {
  showShortcuts.hidden = false;
  showShortcuts.addEventListener("click", () => shortcuts.showModal());
}
