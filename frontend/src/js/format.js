/** Numbers, durations and dates in the page's language, the same way the server writes them. */

import { locale, t } from "./i18n.js";

const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"];

/**
 * @param {number} bytes
 * @returns {string} powers of 1000 with one decimal: "12.3 MB", "16 GB", "900 bytes"
 */
export function formatBytes(bytes) {
  if (bytes < 1000) return formatUnit(bytes, "byte", "long");
  const { power, unit } = sizeUnit(bytes);
  return formatUnit(bytes / power, unit);
}

/**
 * How many bytes of a whole have been sent, in the unit of the whole: "1.9 of 3.1 GB".
 * @param {number} done
 * @param {number} whole
 */
export function formatProgress(done, whole) {
  const { power, unit } = sizeUnit(whole);
  const same = sizeUnit(done).unit === unit;
  return t("{done} of {whole}", {
    done: same ? formatNumber(done / power) : formatBytes(done),
    whole: formatBytes(whole),
  });
}

/** @param {number} bytesPerSecond */
export function formatSpeed(bytesPerSecond) {
  const { power, unit } = sizeUnit(Math.round(bytesPerSecond));
  return formatUnit(Math.round(bytesPerSecond) / power, `${unit}-per-second`);
}

/**
 * @param {number} seconds
 * @returns {string} coarse on purpose, so that it does not flicker: "50 s left", "3 min left"
 */
export function formatTimeLeft(seconds) {
  if (seconds < 5) return t("a few seconds left");
  if (seconds < 55) return t("{n} s left", { n: Math.ceil(seconds / 5) * 5 });
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return t("{n} min left", { n: minutes });
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours >= 24) return t("more than a day left");
  return rest === 0
    ? t("{n} h left", { n: hours })
    : t("{hours} h {minutes} min left", { hours, minutes: rest });
}

/**
 * @param {string} moment as the API writes it
 * @returns {string} "14 November 2026", in the time zone of this browser
 */
export function formatDay(moment) {
  return new Date(moment).toLocaleDateString(locale(), { dateStyle: "long" });
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

/** The unit in which a number of bytes has fewest digits, so that it is not written as 1000. */
function sizeUnit(bytes) {
  if (bytes < 1000) return { power: 1, unit: "byte" };
  let power = 1000;
  let index = 0;
  while (index < UNITS.length - 1 && bytes / power >= 999.95) {
    power *= 1000;
    index += 1;
  }
  return { power, unit: UNITS[index] };
}

function formatUnit(number, unit, unitDisplay = "short") {
  return formatNumber(number, { style: "unit", unit, unitDisplay });
}

function formatNumber(number, options = {}) {
  return number.toLocaleString(locale(), { maximumFractionDigits: 1, useGrouping: false, ...options });
}
