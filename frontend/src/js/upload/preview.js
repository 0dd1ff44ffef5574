/** A picture of a file that this browser can play, drawn before the server has made one. */
import { Queue } from "./queue.js";

const WIDTH = 320;
const TIMEOUT_MS = 8000;

/** One after the other: each takes a decoder. */
const queue = new Queue(1);

/**
 * @param {File} file
 * @returns {Promise<HTMLCanvasElement | null>} null: this browser cannot decode it
 */
export function drawPreview(file) {
  return queue.add(() => draw(file).catch(() => null));
}

async function draw(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  try {
    video.muted = true;
    video.preload = "auto";
    video.src = address;
    await happens(video, "loadeddata");
    if (!video.videoWidth) return null;
    // The very first picture is often black.
    video.currentTime = Math.min(1, (video.duration || 0) / 10);
    await happens(video, "seeked");
    const canvas = document.createElement("canvas");
    canvas.width = WIDTH;
    canvas.height = Math.max(1, Math.round((WIDTH * video.videoHeight) / video.videoWidth));
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(address);
  }
}

function happens(video, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("too slow")), TIMEOUT_MS);
    video.addEventListener(name, () => resolve(clearTimeout(timer)), { once: true });
    video.addEventListener("error", () => reject(clearTimeout(timer)), { once: true });
  });
}
