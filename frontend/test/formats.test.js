import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { formatBytes, formatDay } from "../src/js/format.js";
import { list, locale } from "../src/js/i18n.js";

// tests/common/test_formatting.py holds the server to the same results.
const cases = JSON.parse(await readFile(new URL("formats.json", import.meta.url), "utf8"));

after(() => delete globalThis.document);

/** Libraries differ in the kind of space between a number and its unit. */
const plain = (text) => text.replace(/\s/g, " ");

for (const [lang, { bytes, days, lists, numbers }] of Object.entries(cases)) {
  test(`${lang}: sizes, days, lists and numbers are written as the server writes them`, () => {
    globalThis.document = { documentElement: { lang } };
    for (const [count, words] of Object.entries(bytes))
      assert.equal(plain(formatBytes(+count)), plain(words));
    for (const [moment, words] of Object.entries(days)) assert.equal(plain(formatDay(moment)), plain(words));
    for (const [parts, words] of lists) assert.equal(list(parts), words);
    for (const [count, words] of Object.entries(numbers)) {
      assert.equal(plain((+count).toLocaleString(locale())), plain(words));
    }
  });
}
