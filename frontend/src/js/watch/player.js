/** The player: hls.js and Plyr behind one door, and the browser's own player if they fail. */
import { captionTracks, makeCaptions, suitableTrack } from "./captions.js";
import { SPEEDS } from "./keys.js";
import { keep, recall, remember } from "./memory.js";
import { makeButton, makeMenu } from "./menu.js";
import { keepPosition, startOf } from "./resume.js";
import { dress, showPreviews } from "./skin.js";
import { makeSource } from "./source.js";
import { loadStoryboard } from "./storyboard.js";
import { explainTrouble } from "./trouble.js";

/**
 * @param {HTMLElement} screen holds the video element, and says in its data what there is
 * @param {HTMLVideoElement} video
 * @param {object} page
 * @param {(sentence: string | null) => void} page.trouble shows what is wrong; null: nothing any more
 * @returns {{toggleCaptions: () => string, toggleFullscreen: () => unknown, start: number}}
 */
export function makePlayer(screen, video, { trouble }) {
  const { codec = "", master, position, remember: url, storyboard } = screen.dataset;
  const start = startOf(location.hash, position);
  remember(video);
  let menu;
  const source = makeSource(video, {
    start,
    codec,
    changed: () => menu?.refresh(),
    troubled: (what) => trouble(explainTrouble({ decoding: false, ...what, codec })),
    cleared: () => trouble(null),
  });
  const skin = tryDress(video);
  let captions;
  if (skin) {
    captions = makeCaptions(video, () => menu?.refresh());
    menu = makeMenu([
      { name: "Quality", choices: source.choices, choose: source.choose },
      { name: "Speed", choices: () => speeds(video), choose: (speed) => setSpeed(video, speed) },
      {
        name: "Captions",
        choices: () => captionChoices(video, captions),
        choose: (index) => chooseCaptions(captions, index),
      },
    ]);
    skin.elements.buttons.fullscreen.before(menu.element);
    skin.elements.container.append(captions.box);
    addCaptionsButton(video, captions, menu);
    const { captions: shown, language } = recall();
    if (shown) captions.choose(suitableTrack(captionTracks(video), language, navigator.languages));
    video.addEventListener("ratechange", menu.refresh);
    video.addEventListener("controlshidden", () => menu.close());
    if (storyboard) showStoryboard(screen, skin, storyboard);
    document.addEventListener("matinee:storyboard", ({ detail }) => {
      showStoryboard(screen, skin, detail.storyboard);
    });
  }
  source.begin();
  if (master) source.offer(master);
  document.addEventListener("matinee:renditions", ({ detail }) => {
    source.offer(detail.master, detail.heights);
  });
  if (url) keepPosition(video, url);
  warnWithoutPicture(video, codec, trouble);
  return {
    start,
    toggleCaptions: () => (captions ? toggleCaptions(video, captions) : toggleTracks(video)),
    toggleFullscreen: () => (skin ? skin.fullscreen.toggle() : toggleFullscreen(screen)),
  };
}

function tryDress(video) {
  try {
    const skin = dress(video, "#screen");
    return skin.elements.controls ? skin : null;
  } catch (error) {
    console.warn("The browser's own player is used:", error);
    video.controls = true;
    return null;
  }
}

function speeds(video) {
  return SPEEDS.map((speed) => ({
    value: speed,
    label: speed === 1 ? "Normal" : `${speed}×`,
    checked: speed === video.playbackRate,
  }));
}

function setSpeed(video, speed) {
  video.playbackRate = speed;
}

function captionChoices(video, captions) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return [];
  const active = captions.active();
  const choices = tracks.map((track, index) => ({
    value: index,
    label: track.label || track.language,
    checked: track === active,
  }));
  return [{ value: -1, label: "Off", checked: active === null }, ...choices];
}

function chooseCaptions(captions, index) {
  captions.choose(index);
  const active = captions.active();
  keep({ captions: active !== null, ...(active && { language: active.language }) });
}

function toggleCaptions(video, captions) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return "No captions";
  const on = captions.active() !== null;
  chooseCaptions(captions, on ? -1 : suitableTrack(tracks, recall().language, navigator.languages));
  return on ? "Captions off" : "Captions on";
}

function addCaptionsButton(video, captions, menu) {
  if (captionTracks(video).length === 0) return;
  const button = makeButton("Captions", "captions");
  button.addEventListener("click", () => toggleCaptions(video, captions));
  menu.element.before(button);
  menu.onRefresh(() => button.setAttribute("aria-pressed", String(captions.active() !== null)));
}

/** The same, for the browser's own player. */
function toggleTracks(video) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return "No captions";
  const showing = tracks.some((track) => track.mode === "showing");
  for (const track of tracks) track.mode = "disabled";
  const { language } = recall();
  if (!showing) tracks[suitableTrack(tracks, language, navigator.languages)].mode = "showing";
  return showing ? "Captions off" : "Captions on";
}

function toggleFullscreen(screen) {
  return document.fullscreenElement ? document.exitFullscreen() : screen.requestFullscreen?.();
}

/** Not before somebody comes near the player: most who open the page only read it. */
function showStoryboard(screen, skin, url) {
  const load = async () => {
    const thumbnails = await loadStoryboard(url);
    if (thumbnails) showPreviews(skin, thumbnails);
  };
  // It may have been drawn while somebody is there.
  if (screen.matches(":hover, :focus-within")) return load();
  const begun = new AbortController();
  for (const event of ["pointerenter", "focusin", "touchstart"]) {
    const first = () => {
      begun.abort();
      load();
    };
    screen.addEventListener(event, first, { signal: begun.signal, passive: true });
  }
}

function warnWithoutPicture(video, codec, trouble) {
  video.addEventListener("loadedmetadata", () => {
    if (video.videoWidth === 0 && codec) {
      trouble(`Only the sound plays. ${explainTrouble({ status: 200, decoding: false, codec })}`);
    }
  });
}
