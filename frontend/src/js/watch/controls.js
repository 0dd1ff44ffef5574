/** The control bar: Plyr, with a menu, captions and previews of ours. */
import { t } from "../i18n.js";
import { captionTracks, makeCaptions, suitableTrack } from "./captions.js";
import { SPEEDS } from "./keyboard.js";
import { makeButton, makeMenu } from "./menu.js";
import { makePlyr, makeSeekBar, showPreviews } from "./plyr.js";
import { readPreferences, savePreferences } from "./preferences.js";
import { loadStoryboard } from "./storyboard.js";

/**
 * @param {HTMLElement} container holds the video element; its data attributes say what the video has
 * @param {HTMLVideoElement} video
 * @param {object} playback what `watch.js` has made already
 * @returns {{toggleCaptions: () => string, toggleFullscreen: () => unknown, toggleTheatre: () => unknown,
 *   captions: object | null, seekBar: object | null}} the last two are null where Plyr does not run
 */
export function makeControls(container, video, { source, theatre, onChange }) {
  const plyr = tryPlyr(video, container.dataset);
  if (!plyr) {
    return {
      toggleCaptions: () => toggleTracks(video),
      toggleFullscreen: () => toggleFullscreen(container),
      toggleTheatre: () => theatre?.toggle(),
      captions: null,
      seekBar: null,
    };
  }
  let menu;
  const captions = makeCaptions(video, () => menu?.refresh());
  menu = makeMenu([
    { name: t("Quality"), choices: source.choices, choose: source.choose },
    { name: t("Speed"), choices: () => speeds(video), choose: (speed) => setSpeed(video, speed) },
    {
      name: t("Captions"),
      choices: () => captionChoices(video, captions),
      choose: (index) => chooseCaptions(captions, index),
    },
  ]);
  onChange(() => menu.refresh());
  plyr.elements.buttons.fullscreen.before(menu.element);
  plyr.elements.container.append(captions.box);
  addCaptionsButton(video, captions, menu);
  const toggleTheatre = theatre ? addTheatreButton(plyr, theatre) : () => {};
  const { captions: shown, language } = readPreferences();
  if (shown) captions.choose(suitableTrack(captionTracks(video), language, navigator.languages));
  video.addEventListener("ratechange", menu.refresh);
  video.addEventListener("controlshidden", () => menu.close());
  const seekBar = makeSeekBar(plyr);
  const { storyboard } = container.dataset;
  if (storyboard) showStoryboard(container, plyr, seekBar, storyboard);
  document.addEventListener("matinee:storyboard", ({ detail }) => {
    showStoryboard(container, plyr, seekBar, detail.storyboard);
  });
  return {
    toggleCaptions: () => toggleCaptions(video, captions),
    toggleFullscreen: () => plyr.fullscreen.toggle(),
    toggleTheatre,
    captions,
    seekBar,
  };
}

function tryPlyr(video, { title, owner, length }) {
  try {
    const plyr = makePlyr(video, "#player-container", {
      length: Number(length ?? 0),
      metadata: { title, artist: owner },
    });
    return plyr.elements.controls ? plyr : null;
  } catch (error) {
    console.warn("The browser's own player is used:", error);
    video.controls = true;
    return null;
  }
}

function addTheatreButton(plyr, theatre) {
  const button = makeButton(t("Theatre mode"), "rectangle-horizontal");
  button.classList.add("theatre-button");
  const update = () => button.setAttribute("aria-pressed", String(theatre.on()));
  const toggle = () => {
    theatre.toggle();
    update();
  };
  button.addEventListener("click", toggle);
  plyr.elements.buttons.fullscreen.before(button);
  update();
  return toggle;
}

function speeds(video) {
  return SPEEDS.map((speed) => ({
    value: speed,
    label: speed === 1 ? t("Normal") : `${speed}×`,
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
  return [{ value: -1, label: t("Off"), checked: active === null }, ...choices];
}

function chooseCaptions(captions, index) {
  captions.choose(index);
  const active = captions.active();
  savePreferences({ captions: active !== null, ...(active && { language: active.language }) });
}

function toggleCaptions(video, captions) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return t("No captions");
  const on = captions.active() !== null;
  chooseCaptions(captions, on ? -1 : suitableTrack(tracks, readPreferences().language, navigator.languages));
  return on ? t("Captions off") : t("Captions on");
}

function addCaptionsButton(video, captions, menu) {
  if (captionTracks(video).length === 0) return;
  const button = makeButton(t("Captions"), "captions");
  button.addEventListener("click", () => toggleCaptions(video, captions));
  menu.element.before(button);
  menu.onRefresh(() => button.setAttribute("aria-pressed", String(captions.active() !== null)));
}

/** Toggle captions of the browser's own player. */
function toggleTracks(video) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return t("No captions");
  const showing = tracks.some((track) => track.mode === "showing");
  for (const track of tracks) track.mode = "disabled";
  const { language } = readPreferences();
  if (!showing) tracks[suitableTrack(tracks, language, navigator.languages)].mode = "showing";
  return showing ? t("Captions off") : t("Captions on");
}

function toggleFullscreen(container) {
  return document.fullscreenElement ? document.exitFullscreen() : container.requestFullscreen?.();
}

/** Load the storyboard when the pointer or the focus comes to the player. */
function showStoryboard(container, plyr, seekBar, url) {
  const load = async () => {
    const thumbnails = await loadStoryboard(url);
    if (thumbnails) showPreviews(plyr, seekBar, thumbnails);
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
