/** What one hls.js instance needs to continue with the buffer of another. */

/** States in which a segment is being appended to the buffer, or is about to be. */
const APPENDING = ["PARSING", "PARSED"];
const LOADING = ["FRAG_LOADING", "FRAG_LOADING_WAITING_RETRY", ...APPENDING];

/** Seconds of the old quality that are kept after the start of the new one, so that there is no gap. */
const OVERLAP_S = 0.5;

/**
 * Whether an instance can give up its MediaSource: no segment is half appended.
 * @param {object} hls
 * @param {object} tolerating
 * @param {boolean} tolerating.loading a segment that is being loaded may be discarded
 */
export function mayHandOver(hls, { loading }) {
  // Audio may be parsed long before its video arrives; the next instance loads it again.
  const { state } = hls.inFlightFragments.main;
  return !(loading ? APPENDING : LOADING).includes(state);
}

/** Whether the playlists of video and audio are loaded. */
export function hasPlaylists(hls) {
  const audio = hls.audioTracks[hls.audioTrack];
  return Boolean(hls.latestLevelDetails && (hls.audioTracks.length === 0 || audio?.details));
}

/**
 * The end of the buffered range that is being played.
 * @param {HTMLVideoElement} video
 * @returns {number} seconds
 */
export function bufferedUntil({ buffered, currentTime }) {
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime && currentTime < buffered.end(index)) return buffered.end(index);
  }
  return currentTime;
}

/**
 * Discard the buffer, except for what is played until new segments can arrive.
 *
 * hls.js does this itself when a level is chosen, but only with segments that it has loaded itself.
 */
export function dropAhead(Hls, hls, video) {
  const { fragments = [], averagetargetduration: length = 4 } = hls.latestLevelDetails ?? {};
  const level = hls.levels[hls.nextLoadLevel];
  // One second for the playlist and one in reserve, as hls.js calculates.
  const wait = video.paused ? 0 : 2 + (level.maxBitrate * length) / (hls.bandwidthEstimate * 0.7);
  const next = fragments.find((fragment) => fragment.start >= video.currentTime + wait);
  if (!next || next.start + OVERLAP_S >= bufferedUntil(video)) return;
  hls.stopLoad();
  hls.trigger(Hls.Events.BUFFER_FLUSHING, {
    startOffset: next.start + OVERLAP_S,
    endOffset: Number.POSITIVE_INFINITY,
    type: hls.audioTracks.length > 0 ? "video" : null, // separate audio is the same in every quality
  });
  hls.startLoad(-1, true);
}
