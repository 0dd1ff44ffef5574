/** Which of the account's unfinished uploads a file belongs to. */

/**
 * @typedef {object} Unfinished
 * @property {string} id
 * @property {string} url
 * @property {string} title
 * @property {string} file_name
 * @property {number | null} length
 * @property {number} offset
 * @property {string | null} fingerprint
 * @property {string | null} submission that created it
 * @property {string} expires_at
 */

/**
 * @param {Unfinished[]} uploads
 * @param {{fingerprint: string, size: number}} file
 * @returns {Unfinished | undefined} of several, the one of which most has arrived
 */
export function findMatch(uploads, { fingerprint, size }) {
  return uploads
    .filter((upload) => upload.fingerprint === fingerprint && upload.length === size)
    .sort((one, other) => other.offset - one.offset)[0];
}
