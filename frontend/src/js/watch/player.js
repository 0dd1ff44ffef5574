/** The player: Plyr and hls.js, or the browser's own player if they fail. */
import { captionTracks, makeCaptions, suitableTrack } from "./captions.js";
import { SPEEDS } from "./keyboard.js";
import { makeButton, makeMenu } from "./menu.js";
import { describePlayerError } from "./player-errors.js";
import { makePlyr, showPreviews } from "./plyr.js";
import { applyPreferences, readPreferences, savePreferences } from "./preferences.js";
import { keepPosition, startOf } from "./resume.js";
import { makeSource } from "./source.js";
import { loadStoryboard } from "./storyboard.js";

/**
 * @param {HTMLElement} container holds the video element; its data attributes say what the video has
 * @param {HTMLVideoElement} video
 * @param {object} page
 * @param {(sentence: string | null) => void} page.showError shows an error; null removes it
 * @returns {{toggleCaptions: () => string, toggleFullscreen: () => unknown, start: number}}
 */
export function makePlayer(container, video, { showError }) {
  const { codec = "", master, position, remember: url, storyboard, title, owner } = container.dataset;
  const length = Number(container.dataset.length ?? 0);
  const start = startOf(location, { position: Number(position ?? 0), length });
  applyPreferences(video);
  let menu;
  const source = makeSource(video, {
    start,
    codec,
    changed: () => menu?.refresh(),
    onError: (what) => showError(describePlayerError({ decoding: false, ...what, codec })),
    onRecovered: () => showError(null),
  });
  const plyr = tryPlyr(video, { length, metadata: describeMedia(video, { title, owner }) });
  let captions;
  if (plyr) {
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
    plyr.elements.buttons.fullscreen.before(menu.element);
    plyr.elements.container.append(captions.box);
    addCaptionsButton(video, captions, menu);
    const { captions: shown, language } = readPreferences();
    if (shown) captions.choose(suitableTrack(captionTracks(video), language, navigator.languages));
    video.addEventListener("ratechange", menu.refresh);
    video.addEventListener("controlshidden", () => menu.close());
    if (storyboard) showStoryboard(container, plyr, storyboard);
    document.addEventListener("matinee:storyboard", ({ detail }) => {
      showStoryboard(container, plyr, detail.storyboard);
    });
  }
  source.begin();
  if (master) source.offer(master);
  document.addEventListener("matinee:renditions", ({ detail }) => {
    source.offer(detail.master, detail.heights);
  });
  if (url) keepPosition(video, url);
  warnWithoutVideo(video, codec, showError);
  return {
    start,
    toggleCaptions: () => (captions ? toggleCaptions(video, captions) : toggleTracks(video)),
    toggleFullscreen: () => (plyr ? plyr.fullscreen.toggle() : toggleFullscreen(container)),
  };
}

function tryPlyr(video, about) {
  try {
    const plyr = makePlyr(video, "#player-container", about);
    return plyr.elements.controls ? plyr : null;
  } catch (error) {
    console.warn("The browser's own player is used:", error);
    video.controls = true;
    return null;
  }
}

/** What lock screens and headphones show (Media Session API). */
function describeMedia(video, { title, owner }) {
  const artwork = video.poster ? [{ src: video.poster, type: "image/jpeg" }] : [];
  return { title, artist: owner, artwork };
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
  savePreferences({ captions: active !== null, ...(active && { language: active.language }) });
}

function toggleCaptions(video, captions) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return "No captions";
  const on = captions.active() !== null;
  chooseCaptions(captions, on ? -1 : suitableTrack(tracks, readPreferences().language, navigator.languages));
  return on ? "Captions off" : "Captions on";
}

function addCaptionsButton(video, captions, menu) {
  if (captionTracks(video).length === 0) return;
  const button = makeButton("Captions", "captions");
  button.addEventListener("click", () => toggleCaptions(video, captions));
  menu.element.before(button);
  menu.onRefresh(() => button.setAttribute("aria-pressed", String(captions.active() !== null)));
}

/** Toggle captions of the browser's own player. */
function toggleTracks(video) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return "No captions";
  const showing = tracks.some((track) => track.mode === "showing");
  for (const track of tracks) track.mode = "disabled";
  const { language } = readPreferences();
  if (!showing) tracks[suitableTrack(tracks, language, navigator.languages)].mode = "showing";
  return showing ? "Captions off" : "Captions on";
}

function toggleFullscreen(container) {
  return document.fullscreenElement ? document.exitFullscreen() : container.requestFullscreen?.();
}

/** Load the storyboard when the pointer or the focus comes to the player. */
function showStoryboard(container, plyr, url) {
  const load = async () => {
    const thumbnails = await loadStoryboard(url);
    if (thumbnails) showPreviews(plyr, thumbnails);
  };
  // It may have been published while the pointer is there.
  if (container.matches(":hover, :focus-within")) return load();
  const begun = new AbortController();
  for (const event of ["pointerenter", "focusin", "touchstart"]) {
    const first = () => {
      begun.abort();
      load();
    };
    container.addEventListener(event, first, { signal: begun.signal, passive: true });
  }
}

function warnWithoutVideo(video, codec, showError) {
  video.addEventListener("loadedmetadata", () => {
    if (video.videoWidth === 0 && codec) {
      showError(`Only the audio plays. ${describePlayerError({ status: 200, decoding: false, codec })}`);
    }
  });
}
