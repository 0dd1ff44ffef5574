/** One page of this browser sends a file at a time; the others wait until it is closed. */

const TAB = "matinee-tab";

/**
 * Hold an upload for this page until a promise settles.
 * @param {string} key of the upload
 * @param {() => Promise<void>} job begins once no other page holds it
 */
export function onlyHere(key, job) {
  // Missing over plain HTTP. The server then takes the newer of two requests, and `isOfThisTab` asks.
  return navigator.locks ? navigator.locks.request(`upload ${key}`, job) : job();
}

/** @returns {string} names this tab, across its pages */
export function tabName() {
  let name = sessionStorage.getItem(TAB);
  if (!name) {
    name = String(crypto.getRandomValues(new Uint32Array(1))[0]);
    sessionStorage.setItem(TAB, name);
  }
  return name;
}

/** Whether this page may go on with a kept upload: without locks only the tab where its file was chosen. */
export function isOfThisTab(record) {
  return Boolean(navigator.locks) || record.tab === tabName();
}
