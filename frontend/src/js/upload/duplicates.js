/** Which of one's own videos are the same file: asked before the bytes are sent, and once they are there. */

/** Bytes of a file that is read for this in the browser; a larger one is told at the end. */
const LIMIT = 64 * 1024 * 1024;

/**
 * @typedef {object} Same
 * @property {string} id
 * @property {string} title
 * @property {string} page
 */

/**
 * @param {File} file
 * @returns {Promise<Same[]>} none also where it cannot be told: `crypto.subtle` needs a secure connection
 */
export async function findSame(file) {
  if (file.size > LIMIT || !globalThis.crypto?.subtle) return [];
  try {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const answer = await fetch(`/api/uploads/duplicates?sha256=${sha256}`);
    return answer.ok ? (await answer.json()).videos : [];
  } catch {
    return [];
  }
}

/**
 * @param {string} id of an uploaded video
 * @returns {Promise<Same[]>} none also while its checksum is not known
 */
export async function findSameAs(id) {
  try {
    const answer = await fetch(`/api/uploads/${id}`, { headers: { Accept: "application/json" } });
    return answer.ok ? ((await answer.json()).duplicates ?? []) : [];
  } catch {
    return [];
  }
}
