/**
 * A card plays the storyboard of its video while the mouse is over its picture: the place of the pointer is the
 * place in the video, and a pointer that rests lets it go on.
 */
import { loadStoryboard } from "../watch/storyboard.js";

const BEGIN_MS = 250; // of rest on a picture, before anything is loaded
const STEP_MS = 600; // between two frames, while the pointer rests

const fine = matchMedia("(hover: hover) and (pointer: fine) and (prefers-reduced-motion: no-preference)");
const loaded = new Map();

/** Let the cards of the page play, also those that come later. */
export function enableScrubbing() {
  let playing = null;
  document.addEventListener("pointermove", (event) => {
    if (!fine.matches || event.pointerType !== "mouse") return;
    const poster = posterAt(event);
    if (playing && playing.poster !== poster) {
      playing.end();
      playing = null;
    }
    if (!poster) return;
    playing ??= begin(poster);
    playing.move(event.clientX);
  });
  document.addEventListener("pointerleave", () => {
    playing?.end();
    playing = null;
  });
}

/** The picture below the pointer: the link of a card lies over all of it. */
function posterAt({ target, clientX, clientY }) {
  const poster = target.closest?.(".video-card")?.querySelector(".poster[data-storyboard]");
  if (!poster || target.closest(".tick, .menu")) return null;
  const { left, right, top, bottom } = poster.getBoundingClientRect();
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom ? poster : null;
}

function begin(poster) {
  let share = 0; // of the picture's width
  let step = 0; // frames that it has gone on by itself
  let ended = false;
  let view;
  let timer = setTimeout(start, BEGIN_MS);

  async function start() {
    const url = poster.dataset.storyboard;
    if (!loaded.has(url)) loaded.set(url, loadStoryboard(url));
    const board = await loaded.get(url);
    if (ended || !board || board.frames.length < 2) return;
    view = showIn(poster, board);
    view.draw(share, step);
    timer = setInterval(() => {
      step += 1;
      view.draw(share, step);
    }, STEP_MS);
  }

  return {
    poster,
    move(x) {
      const { left, width } = poster.getBoundingClientRect();
      share = Math.min(1, Math.max(0, (x - left) / width));
      step = 0;
      view?.draw(share, step);
    },
    end() {
      ended = true;
      clearTimeout(timer);
      clearInterval(timer);
      view?.remove();
    },
  };
}

function showIn(poster, board) {
  const frame = document.createElement("div");
  frame.className = "scrub";
  const bar = document.createElement("span");
  bar.className = "scrub-bar";
  const { width, height } = poster.getBoundingClientRect();
  const { w, h } = board.frames[0];
  const scale = Math.min(width / w, height / h);
  Object.assign(frame.style, {
    backgroundImage: `url("${board.frames[0].text}")`,
    backgroundSize: `${board.width * scale}px ${board.height * scale}px`,
    inlineSize: `${w * scale}px`,
    blockSize: `${h * scale}px`,
  });
  const around = document.createElement("div");
  around.className = "scrub-around";
  around.append(frame, bar);
  poster.append(around);
  return {
    draw(share, step) {
      const count = board.frames.length;
      const index = (Math.min(count - 1, Math.floor(share * count)) + step) % count;
      const { x, y } = board.frames[index];
      frame.style.backgroundPosition = `${-x * scale}px ${-y * scale}px`;
      bar.style.inlineSize = `${(100 * (index + 1)) / count}%`;
    },
    remove: () => around.remove(),
  };
}
