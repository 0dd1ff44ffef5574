/**
 * Identify a file by its content, to resume its upload under another name or on another device.
 *
 * Not crypto.subtle: that needs a secure context, which plain HTTP in a home network is not. A
 * forged fingerprint gains nothing: it is compared only with those of the same account.
 */

const SAMPLE_BYTES = 64 * 1024;

/** The fractions of a few square roots; any four different numbers do. */
const SEEDS = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a];

/**
 * @param {Blob} file
 * @returns {Promise<string>} 34 characters, made of the size and of the first, the middle and the last
 *   64 KiB
 * @throws {DOMException} when the file cannot be read, or has changed since it was chosen
 */
export async function fingerprintOf(file) {
  const last = Math.max(0, file.size - SAMPLE_BYTES);
  const starts = [0, Math.floor(last / 2), last];
  const parts = starts.map((start) => file.slice(start, start + SAMPLE_BYTES));
  const bytes = await new Blob([String(file.size), "\n", ...parts]).arrayBuffer();
  const words = SEEDS.map((seed) => murmur3(new Uint8Array(bytes), seed).toString(16).padStart(8, "0"));
  // The prefix names the algorithm.
  return `1-${words.join("")}`;
}

/**
 * MurmurHash3 (x86, 32 bits), by Austin Appleby.
 * @param {Uint8Array} bytes
 * @param {number} seed
 * @returns {number} from 0 to 2^32 - 1
 */
export function murmur3(bytes, seed) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let hash = seed;
  for (let at = 0; at < whole; at += 4) {
    hash ^= scramble(view.getUint32(at, true));
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) tail = (tail << 8) | bytes[at];
  hash ^= scramble(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word) {
  return Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}

function rotate(word, by) {
  return (word << by) | (word >>> (32 - by));
}
