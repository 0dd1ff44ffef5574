/** Thumbnails above the seek bar, from one sheet of images. */

const CUE = /(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})\s+-->\s+(?:(\d+):)?(\d\d):(\d\d)\.(\d{3})/;

const seconds = ([hours, minutes, whole, thousandths]) =>
  Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(whole) + Number(thousandths) / 1000;

/**
 * Read WebVTT whose cues are parts of an image: `storyboard.jpg#xywh=160,0,160,90`.
 * @param {string} text
 * @param {string} base base URL of the images
 * @returns {{startTime: number, endTime: number, text: string, x: number, y: number, w: number, h: number}[]}
 */
export function parseStoryboard(text, base) {
  const frames = [];
  for (const block of text.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const times = CUE.exec(block);
    const region = /^(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/m.exec(block);
    if (!times || !region) continue;
    const [x, y, w, h] = region.slice(2).map(Number);
    frames.push({
      startTime: seconds(times.slice(1, 5)),
      endTime: seconds(times.slice(5, 9)),
      text: new URL(region[1], base).href,
      ...{ x, y, w, h },
    });
  }
  return frames;
}

/**
 * @param {string} url of the WebVTT
 * @returns {Promise<{frames: object[], width: number, height: number, urlPrefix: string} | null>} null if
 *   there is none or it cannot be loaded
 */
export async function loadStoryboard(url) {
  try {
    const answer = await fetch(url);
    if (!answer.ok) return null;
    const frames = parseStoryboard(await answer.text(), answer.url);
    if (frames.length === 0) return null;
    const sheet = new Image();
    sheet.src = frames[0].text;
    await sheet.decode();
    return { frames, width: sheet.naturalWidth, height: sheet.naturalHeight, urlPrefix: "" };
  } catch {
    return null;
  }
}
