/** Checks of a file before it is sent. The server checks it completely. */
import { formatBytes } from "../format.js";
import { t } from "../i18n.js";

/** How many bytes of a file `findProblem` wants to see. */
export const HEAD_BYTES = 12;

const MATROSKA = "\x1aE\xdf\xa3";

/** First bytes of other formats, and what is said of each. "." stands for any byte. */
const OTHERS = [
  ["RIFF....AVI", () => t("This is not a video that is taken here: it is AVI.")],
  ["RIFF....WAVE", () => t("This is not a video: it is WAV.")],
  [MATROSKA, () => t("This is not a video that is taken here: it is Matroska or WebM.")],
  ["\x89PNG", () => t("This is not a video: it is a PNG picture.")],
  ["\xff\xd8\xff", () => t("This is not a video: it is a JPEG picture.")],
  ["GIF8", () => t("This is not a video: it is a GIF picture.")],
  ["PK\x03\x04", () => t("This is not a video: it is a ZIP archive.")],
  ["%PDF", () => t("This is not a video: it is a PDF document.")],
  ["ID3", () => t("This is not a video: it is MP3.")],
  ["OggS", () => t("This is not a video that is taken here: it is Ogg.")],
  ["FLV\x01", () => t("This is not a video that is taken here: it is Flash video.")],
];

/** The boxes an MP4 file may begin with. */
const BOXES = ["ftyp", "moov", "mdat", "free", "skip", "wide", "styp", "pnot", "uuid"];

/**
 * @param {{name: string, size: number}} file
 * @param {Uint8Array} head the first HEAD_BYTES bytes, or fewer if there are no more
 * @param {{maxSize: number, matroska?: boolean}} limits in bytes; whether MKV or WebM may come in,
 *   which the server tells apart
 * @returns {string | null} one sentence, or null when it may be sent
 */
export function findProblem(file, head, { maxSize, matroska = false }) {
  if (file.size === 0) return t("This file is empty.");
  if (file.size > maxSize) {
    return t("This file has {size}. The limit is {limit}.", {
      size: formatBytes(file.size),
      limit: formatBytes(maxSize),
    });
  }
  const text = String.fromCharCode(...head);
  if (matroska && text.startsWith(MATROSKA)) return null;
  const other = OTHERS.find(([bytes]) =>
    [...bytes].every((wanted, at) => wanted === "." || wanted === text[at]),
  );
  if (other) return other[1]();
  if (!BOXES.includes(text.slice(4, 8))) return t("This is not a video that is taken here.");
  return null;
}

/**
 * @param {string} name of a file
 * @returns {string} without its ending, at most 200 characters: "night train.mp4" is "night train"
 */
export function titleOf(name) {
  const stem = name.replace(/\.[A-Za-z0-9]{1,5}$/, "").trim();
  return [...(stem || name)].slice(0, 200).join("");
}
