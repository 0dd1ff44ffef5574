/** What it takes for one hls.js to go on with the buffer of another. */

/** Its buffer is being written to, or its worker has a part that will be. */
const APPENDING = ["PARSING", "PARSED"];
const LOADING = ["FRAG_LOADING", "FRAG_LOADING_WAITING_RETRY", ...APPENDING];

/** What of the old quality is kept after the place where the new one begins, so that there is no gap, in seconds. */
const OVERLAP_S = 0.5;

/**
 * Whether an hls.js can be parted from its MediaSource: nothing is half written.
 * @param {object} hls
 * @param {object} tolerating
 * @param {boolean} tolerating.loading a part that is being loaded may be thrown away
 */
export function mayHandOver(hls, { loading }) {
  // Sound may be parsed and kept back for long, until its pictures come; it is loaded again then.
  const { state } = hls.inFlightFragments.main;
  return !(loading ? APPENDING : LOADING).includes(state);
}

/** Whether it knows where its parts are, of the pictures and of the sound. */
export function hasPlaylists(hls) {
  const sound = hls.audioTracks[hls.audioTrack];
  return Boolean(hls.latestLevelDetails && (hls.audioTracks.length === 0 || sound?.details));
}

/**
 * Up to where it can play without loading anything.
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
 * Throw away what is buffered, but for what is played until something else can be there.
 *
 * hls.js does this itself when a level is chosen, but only with what it has loaded itself.
 */
export function dropAhead(Hls, hls, video) {
  const { fragments = [], averagetargetduration: length = 4 } = hls.latestLevelDetails ?? {};
  const level = hls.levels[hls.nextLoadLevel];
  // A second each for the playlist and for what cannot be foreseen, as hls.js reckons.
  const wait = video.paused ? 0 : 2 + (level.maxBitrate * length) / (hls.bandwidthEstimate * 0.7);
  const next = fragments.find((fragment) => fragment.start >= video.currentTime + wait);
  if (!next || next.start + OVERLAP_S >= bufferedUntil(video)) return;
  hls.stopLoad();
  hls.trigger(Hls.Events.BUFFER_FLUSHING, {
    startOffset: next.start + OVERLAP_S,
    endOffset: Number.POSITIVE_INFINITY,
    type: hls.audioTracks.length > 0 ? "video" : null, // sound of its own is the same in any quality
  });
  hls.startLoad(-1, true);
}
