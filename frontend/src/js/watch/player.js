/** The player: hls.js and Plyr behind one door, and the browser's own player if they fail. */
import { captionTracks, suitableTrack } from "./captions.js";
import { SPEEDS } from "./keys.js";
import { keep, recall, remember } from "./memory.js";
import { makeMenu } from "./menu.js";
import { keepPosition, startOf } from "./resume.js";
import { dress } from "./skin.js";
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
  if (skin) {
    menu = makeMenu([
      { name: "Quality", choices: source.choices, choose: source.choose },
      { name: "Speed", choices: () => speeds(video), choose: (speed) => setSpeed(video, speed) },
      { name: "Captions", choices: () => captions(video, skin), choose: (index) => setTrack(skin, index) },
    ]);
    skin.elements.buttons.fullscreen.before(menu.element);
    video.addEventListener("ratechange", menu.refresh);
    video.addEventListener("controlshidden", () => menu.close());
    rememberCaptions(video, skin, menu);
    if (storyboard) showStoryboard(screen, skin, storyboard);
  }
  source.begin();
  if (master) source.offer(master);
  document.addEventListener("matinee:renditions", ({ detail }) => {
    if (detail.master) source.offer(detail.master, detail.heights ?? []);
  });
  if (url) keepPosition(video, url);
  warnWithoutPicture(video, codec, trouble);
  return {
    start,
    toggleCaptions: () => (skin ? toggleCaptions(video, skin) : toggleTracks(video)),
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

function captions(video, skin) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return [];
  const active = skin.captions.toggled ? skin.captions.currentTrackNode : null;
  const choices = tracks.map((track, index) => ({
    value: index,
    label: track.label || track.language,
    checked: track === active,
  }));
  return [{ value: -1, label: "Off", checked: active === null }, ...choices];
}

function setTrack(skin, index) {
  skin.currentTrack = index;
}

function rememberCaptions(video, skin, menu) {
  video.addEventListener("ready", () => {
    const { captions: shown, language } = recall();
    const track = suitableTrack(captionTracks(video), language, navigator.languages);
    if (shown && track >= 0) setTrack(skin, track);
    menu.refresh();
    const note = () => {
      keep({ captions: skin.captions.toggled, ...(skin.captions.toggled && { language: skin.language }) });
      menu.refresh();
    };
    for (const event of ["captionsenabled", "captionsdisabled", "languagechange"]) {
      video.addEventListener(event, note);
    }
  });
}

function toggleCaptions(video, skin) {
  const tracks = captionTracks(video);
  if (tracks.length === 0) return "No captions";
  if (skin.captions.toggled) skin.toggleCaptions(false);
  else setTrack(skin, suitableTrack(tracks, recall().language, navigator.languages));
  return skin.captions.toggled ? "Captions on" : "Captions off";
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
    if (!thumbnails) return;
    skin.setPreviewThumbnails({ enabled: true, src: (give) => give([thumbnails]) });
  };
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
