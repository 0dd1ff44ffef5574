/** Whether this browser keeps unfinished uploads. Every page asks, so this is all that it loads for that. */

export const DATABASE = "uploads";
const FLAG = "matinee-uploads";

/** Whether there is something to go on with. */
export function hasKept() {
  try {
    return localStorage.getItem(FLAG) !== null;
  } catch {
    return false; // storage is switched off
  }
}

/** @param {boolean} kept */
export function setKept(kept) {
  if (kept) localStorage.setItem(FLAG, "1");
  else localStorage.removeItem(FLAG);
}

/** Forget all files, when somebody signs out. */
export function forgetAll() {
  if (!hasKept()) return;
  setKept(false);
  indexedDB.deleteDatabase(DATABASE);
}
