/** Numbers as words, the same way the server writes them. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/**
 * @param {number} bytes
 * @returns {string} powers of 1000 with one decimal: "12.3 MB", "16 GB", "900 bytes"
 */
export function formatBytes(bytes) {
  if (bytes === 1) return "1 byte";
  let value = bytes;
  let unit = 0;
  while (unit < UNITS.length - 1 && Number(value.toFixed(1)) >= 1000) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toFixed(1))} ${UNITS[unit]}`;
}

/**
 * How many bytes of a whole have been sent, in the unit of the whole: "1.9 of 3.1 GB".
 * @param {number} done
 * @param {number} whole
 */
export function formatProgress(done, whole) {
  const [doneNumber, doneUnit] = formatBytes(done).split(" ");
  const [wholeNumber, wholeUnit] = formatBytes(whole).split(" ");
  return doneUnit === wholeUnit
    ? `${doneNumber} of ${wholeNumber} ${wholeUnit}`
    : `${doneNumber} ${doneUnit} of ${wholeNumber} ${wholeUnit}`;
}

/** @param {number} bytesPerSecond */
export function formatSpeed(bytesPerSecond) {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/**
 * @param {number} seconds
 * @returns {string} coarse on purpose, so that it does not flicker: "50 s left", "3 min left"
 */
export function formatTimeLeft(seconds) {
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `${Math.ceil(seconds / 5) * 5} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 24) return "more than a day left";
  return rest === 0 ? `${hours} h left` : `${hours} h ${rest} min left`;
}

/**
 * @param {string} moment as the API writes it
 * @returns {string} "14 November 2026", in the time zone of this browser
 */
export function formatDay(moment) {
  return new Date(moment).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

/**
 * @param {number} seconds
 * @returns {string} whole seconds that have passed, as players show them: "1:02:03", "3:05"
 */
export function formatClock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
