/** Error messages for videos that do not play. */
import { t } from "../i18n.js";

/** Prefixes of codec names, as in files (RFC 6381) and in ffmpeg. */
const NAMES = [
  [/^(avc|h264)/, "H.264"],
  [/^(hvc1|hev1|hevc)/, "HEVC (H.265)"],
  [/^av0?1/, "AV1"],
  [/^vp0?9/, "VP9"],
  [/^(mp4v|mpeg4)/, "MPEG-4 Part 2"],
];

/** @param {string} codec as the server calls it @returns {string} as people do */
export function formatName(codec) {
  return NAMES.find(([beginning]) => beginning.test(codec))?.[1] ?? codec;
}

/**
 * @param {object} what
 * @param {number | null} what.status of a request for the file; null without an answer
 * @param {boolean} what.decoding the bytes arrived but could not be decoded
 * @param {string} what.codec as the server calls it; may be empty
 * @returns {string}
 */
export function describePlayerError({ status, decoding, codec }) {
  if (status === null)
    return t("The server cannot be reached. The video resumes when the connection is back.");
  if (status === 401) return t("You are signed out. Reload the page to sign in again.");
  if (status === 404) return t("This video has been deleted, or you may no longer watch it.");
  if (status >= 400) return t("The server cannot send this video right now. Reload the page to try again.");
  if (decoding)
    return t("This browser stopped at a place it cannot decode. Skip ahead, or try another browser.");
  return codec
    ? t("This browser cannot play {format} video. Another browser or device may.", {
        format: formatName(codec),
      })
    : t("This browser cannot play this kind of video. Another browser or device may.");
}

/** @returns {Promise<number | null>} the status the server answers for a file */
export async function ask(url) {
  try {
    const answer = await fetch(url, { method: "HEAD", cache: "no-store" });
    return answer.status;
  } catch {
    return null;
  }
}

/** Whether the video is missing or not allowed, so that trying again does not help. */
export const isRefusal = (status) => [401, 403, 404].includes(status);
