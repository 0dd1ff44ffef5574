/** The watch page. Without this script the browser's own player does everything but remember. */
import { listen } from "./watch/keys.js";
import { remember } from "./watch/memory.js";
import { offerLink } from "./watch/share.js";
import { watchForTrouble } from "./watch/trouble.js";

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

remember(video);
listen(video, video.parentElement, say);
watchForTrouble(video, (sentence) => {
  document.getElementById("trouble-words").textContent = sentence;
  trouble.hidden = false;
});
if (share) offerLink(share);
showKeys.hidden = false;
showKeys.addEventListener("click", () => document.getElementById("keys").showModal());
