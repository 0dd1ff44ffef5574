/**
 * Sentences in the language of the page.
 *
 * `make messages` collects the literal strings that are given to `t` and `tn`. The page loads the
 * translations (`messages-de.js`) before the other scripts. Without them sentences are in English.
 */

/** @returns {string} the language of numbers, dates and lists; English is written as in Britain */
export function locale() {
  const language = globalThis.document?.documentElement?.lang || "en";
  return language === "en" ? "en-GB" : language;
}

/**
 * @param {string} text a literal string with places for values: "Uploading {name}"
 * @param {Record<string, unknown>} [values]
 */
export function t(text, values = {}) {
  const translated = globalThis.matineeMessages?.messages[text];
  return fill((Array.isArray(translated) ? translated[0] : translated) ?? text, values);
}

/**
 * A sentence that depends on a number: `tn("{n} file", "{n} files", count)`.
 * @param {string} one
 * @param {string} many
 * @param {number} n
 * @param {Record<string, unknown>} [values]
 */
export function tn(one, many, n, values = {}) {
  const { forms, messages } = globalThis.matineeMessages ?? {};
  const translated = messages?.[one];
  const text = Array.isArray(translated)
    ? translated[forms[new Intl.PluralRules(locale()).select(n)]]
    : n === 1
      ? one
      : many;
  return fill(text, { n: n.toLocaleString(locale()), ...values });
}

/** @param {string[]} parts @returns {string} "Anna, Ben and Carla" */
export function list(parts) {
  return new Intl.ListFormat(locale()).format(parts);
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}
