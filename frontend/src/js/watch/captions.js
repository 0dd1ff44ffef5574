/** Which captions are shown, and that they are the same ones the next time. */

const family = (tag) => tag.toLowerCase().split("-")[0];

/**
 * The track that suits somebody best: the language asked for, its family, a language of the
 * browser, or the first.
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
