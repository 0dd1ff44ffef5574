/** Which files somebody drops or pastes: those of folders too, of which only videos are taken. */

const VIDEOS = /\.(mp4|m4v|mov|mkv|webm)$/i;

/** Whether a file of a folder is a video. Hidden ones are not: "._a.mp4" is a note of macOS. */
export function isVideo({ name, type = "" }) {
  return !name.startsWith(".") && (type.startsWith("video/") || VIDEOS.test(name));
}

/**
 * @param {DataTransfer} transfer of a drop or a paste; it is empty once the event is over
 * @returns {Promise<{files: File[], left: number}>} left: files in folders that are no videos
 */
export function filesIn(transfer) {
  const entries = [...transfer.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) {
    return Promise.resolve({ files: [...transfer.files], left: 0 });
  }
  return walk(entries.filter(Boolean));
}

/**
 * @param {FileSystemEntry[]} entries files are taken as they are
 * @returns {Promise<{files: File[], left: number}>} in the order of their names, folder by folder
 */
export async function walk(entries) {
  const found = { files: [], left: 0 };
  for (const entry of entries) {
    if (entry.isDirectory) await walkFolder(entry, found);
    else found.files.push(await fileOf(entry));
  }
  return found;
}

async function walkFolder(folder, found) {
  const entries = await listFolder(folder);
  entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
  for (const entry of entries) {
    if (entry.isDirectory) {
      await walkFolder(entry, found);
      continue;
    }
    const file = await fileOf(entry).catch(() => null);
    if (file && isVideo(file)) found.files.push(file);
    else found.left += 1;
  }
}

/** Browsers tell some entries at a time. */
async function listFolder(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (some.length === 0) return entries;
    entries.push(...some);
  }
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
