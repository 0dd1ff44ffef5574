/** The transcript beside the video: lines of a caption track that can be searched and clicked. */
import { formatClock } from "../format.js";
import { t } from "../i18n.js";
import { captionTracks, suitableTrack } from "./captions.js";
import { chapterAt } from "./chapters.js";
import { readPreferences } from "./preferences.js";

/**
 * Whether a line holds all words of a search, whatever their case and accents.
 * @param {string} text
 * @param {string} search
 */
export function holdsWords(text, search) {
  const plain = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const line = plain(text);
  return plain(search)
    .split(/\s+/)
    .every((word) => line.includes(word));
}

/**
 * @param {HTMLVideoElement} video
 * @param {{active: () => TextTrack | null, onChoose: (listener: () => void) => void} | null} captions
 */
export function enableTranscript(video, captions) {
  const panel = document.getElementById("transcript");
  if (!panel || !captions || captionTracks(video).length === 0) return;
  const list = document.getElementById("transcript-lines");
  const empty = document.getElementById("transcript-empty");
  const search = document.getElementById("transcript-search");
  let track = null;
  let lines = []; // {start, text, item}
  let current = -1;

  function load() {
    const tracks = captionTracks(video);
    const { language } = readPreferences();
    track = captions.active() ?? tracks[suitableTrack(tracks, language, navigator.languages)];
    if (track.mode === "disabled") track.mode = "hidden"; // loads it, and shows nothing
    if (track.cues?.length) draw();
  }

  function draw() {
    lines = [...track.cues].map((cue) => {
      const text = cue.getCueAsHTML().textContent; // never the file's own HTML
      return { start: cue.startTime, text, item: drawLine(cue.startTime, text) };
    });
    list.lang = track.language;
    list.replaceChildren(...lines.map(({ item }) => item));
    current = -1;
    filter();
    follow();
  }

  function filter() {
    for (const { text, item } of lines) item.hidden = !holdsWords(text, search.value);
    empty.textContent = lines.every(({ item }) => item.hidden) ? t("No line holds these words.") : "";
  }

  function follow() {
    const index = chapterAt(lines, video.currentTime);
    if (index === current) return;
    lines[current]?.item.removeAttribute("aria-current");
    lines[index]?.item.setAttribute("aria-current", "true");
    current = index;
    // Not while somebody reads elsewhere in the list, or searches.
    if (index < 0 || search.value || list.matches(":hover, :focus-within")) return;
    const { item } = lines[index];
    list.scrollTop = item.offsetTop - list.clientHeight / 2;
  }

  for (const element of video.querySelectorAll("track")) {
    element.addEventListener("load", () => {
      if (panel.open && element.track === track) draw();
    });
  }
  panel.addEventListener("toggle", () => {
    if (panel.open) load();
  });
  captions.onChoose(() => {
    if (panel.open) load();
  });
  search.addEventListener("input", filter);
  video.addEventListener("timeupdate", () => {
    if (panel.open) follow();
  });
  panel.hidden = false;
}

function drawLine(start, text) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const time = document.createElement("span");
  const words = document.createElement("span");
  link.href = `#t=${Math.floor(start)}`;
  link.dataset.time = String(start);
  time.className = "time";
  time.textContent = formatClock(start);
  words.dir = "auto";
  words.textContent = text;
  link.append(time, words);
  item.append(link);
  return item;
}
