/** Choosing captions, and showing them as text above the control bar. */

const family = (tag) => tag.toLowerCase().split("-")[0];

/**
 * The best track: in the wanted language, a variant of it, a language of the browser, or the first.
 * @param {{language: string}[]} tracks
 * @param {string | undefined} wanted
 * @param {readonly string[]} spoken languages of the browser
 * @returns {number} -1 if there is none
 */
export function suitableTrack(tracks, wanted, spoken) {
  const tags = tracks.map((track) => track.language.toLowerCase());
  for (const tag of [wanted, ...spoken].filter(Boolean)) {
    const exact = tags.indexOf(tag.toLowerCase());
    if (exact >= 0) return exact;
    const related = tags.findIndex((other) => family(other) === family(tag));
    if (related >= 0) return related;
  }
  return tracks.length > 0 ? 0 : -1;
}

/** @param {HTMLVideoElement} video @returns {TextTrack[]} */
export function captionTracks(video) {
  return [...video.textTracks].filter((track) => ["captions", "subtitles"].includes(track.kind));
}

/**
 * Show captions in our own box: those of the browser would be covered by the control bar.
 * @param {HTMLVideoElement} video
 * @param {() => void} changed another track is chosen
 */
export function makeCaptions(video, changed) {
  const box = document.createElement("div");
  box.className = "captions";
  const listeners = [];
  let active = null;

  function draw() {
    const time = video.currentTime;
    const cues = [...(active?.cues ?? [])].filter((cue) => cue.startTime <= time && time < cue.endTime);
    const lines = cues.map((cue) => {
      const line = document.createElement("p");
      line.dir = "auto";
      line.append(cue.getCueAsHTML()); // elements of WebVTT only, never the file's own HTML
      return line;
    });
    box.replaceChildren(...lines);
  }

  for (const element of video.querySelectorAll("track")) element.addEventListener("load", draw);
  video.addEventListener("seeked", draw);

  return {
    box,
    /** The track being shown; null: none. */
    active: () => active,
    /** @param {number} index of `captionTracks`; -1: none */
    choose(index) {
      active?.removeEventListener("cuechange", draw);
      for (const track of captionTracks(video)) track.mode = "disabled";
      active = captionTracks(video)[index] ?? null;
      if (active) {
        active.mode = "hidden"; // loaded and followed, but not drawn by the browser
        active.addEventListener("cuechange", draw);
      }
      draw();
      changed();
      for (const listener of listeners) listener();
    },
    /** Call a listener after each choice. */
    onChoose: (listener) => listeners.push(listener),
  };
}
