/** Choosing a poster: moments of the video to pick from, and the new poster as soon as it is made. */
import { t } from "./i18n.js";
import { spread } from "./library/range.js";
import { loadStoryboard } from "./watch/storyboard.js";

const SHOWN = 12; // moments
const LOOK_MS = 1000;
const LOOKS = 90;

const choice = document.querySelector(".poster-choice");
const list = document.getElementById("poster-frames");
const field = document.getElementById("at");

/** @param {number} seconds @returns {string} "1:02:03", "3:05": what the field takes */
function clock(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes}:${two(rest)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(rest)}`;
}

async function showFrames(url) {
  const board = await loadStoryboard(url);
  if (!board) return;
  list.hidden = false;
  for (const frame of spread(board.frames, SHOWN)) list.append(draw(frame, board));
  // Their size is known once they are laid out.
  for (const item of list.children) fit(item);
  list.addEventListener("change", ({ target }) => {
    field.value = target.value;
  });
}

function draw({ startTime, text, x, y, w, h }, board) {
  const item = document.createElement("li");
  const label = document.createElement("label");
  const radio = document.createElement("input");
  const picture = document.createElement("span");
  const time = document.createElement("span");
  const words = clock(startTime);
  Object.assign(radio, { type: "radio", name: "moment", value: words });
  radio.ariaLabel = t("The moment at {time}", { time: words });
  picture.className = "frame";
  picture.style.backgroundImage = `url("${text}")`;
  picture.dataset.place = JSON.stringify({ x, y, w, h, width: board.width, height: board.height });
  time.className = "duration";
  time.ariaHidden = "true";
  time.textContent = words;
  label.append(radio, picture, time);
  item.append(label);
  return item;
}

function fit(item) {
  const picture = item.querySelector(".frame");
  const { x, y, w, h, width, height } = JSON.parse(picture.dataset.place);
  const box = item.getBoundingClientRect();
  const scale = Math.min(box.width / w, box.height / h);
  Object.assign(picture.style, {
    backgroundPosition: `${-x * scale}px ${-y * scale}px`,
    backgroundSize: `${width * scale}px ${height * scale}px`,
    inlineSize: `${w * scale}px`,
    blockSize: `${h * scale}px`,
  });
}

/** Look every second whether the poster has another address. */
async function awaitPoster(id) {
  const image = document.getElementById("poster-now");
  const before = image?.getAttribute("src");
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const answer = await fetch(`/api/videos/${id}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) continue;
    const { poster } = (await answer.json()).urls;
    if (!poster || poster === before) continue;
    if (!image) location.reload();
    image.src = poster;
    document.getElementById("poster-status").textContent = t("The new poster is shown.");
    return;
  }
  location.reload(); // says what went wrong
}

if (choice?.dataset.storyboard) showFrames(choice.dataset.storyboard);
if (choice && "waiting" in choice.dataset) awaitPoster(choice.dataset.video);
