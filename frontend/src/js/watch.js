/** The watch page. Without this script the browser's own player does everything but remember. */
import { formatClock } from "./format.js";
import { listen } from "./watch/keys.js";
import { makePlayer } from "./watch/player.js";
import { offerLink } from "./watch/share.js";

const screen = document.getElementById("screen");
const video = document.getElementById("player");
const said = document.getElementById("said");
const trouble = document.getElementById("trouble");
const share = document.getElementById("share");
const showKeys = document.getElementById("show-keys");
let timer;

function say(sentence) {
  said.textContent = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => {
    said.textContent = "";
  }, 1500);
}

const player = makePlayer(screen, video, {
  trouble(sentence) {
    document.getElementById("trouble-words").textContent = sentence ?? "";
    trouble.hidden = sentence === null;
  },
});
listen(video, screen, { say, ...player });
if (player.start > 0) say(`Goes on at ${formatClock(player.start)}`);
if (share) offerLink(share);
showKeys.hidden = false;
showKeys.addEventListener("click", () => document.getElementById("keys").showModal());
