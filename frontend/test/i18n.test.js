import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { list, locale, t, tn } from "../src/js/i18n.js";

afterEach(() => {
  delete globalThis.matineeMessages;
  delete globalThis.document;
});

/** Speak a language with these translations. */
function speak(lang, messages, forms = { one: 0, other: 1 }) {
  globalThis.document = { documentElement: { lang } };
  globalThis.matineeMessages = { forms, messages };
}

test("without translations sentences are in English", () => {
  assert.equal(t("Uploading {name}", { name: "Lesson" }), "Uploading Lesson");
  assert.equal(tn("{n} file", "{n} files", 1), "1 file");
  assert.equal(tn("{n} file", "{n} files", 1200), "1,200 files");
  assert.equal(list(["Anna", "Ben", "Carla"]), "Anna, Ben and Carla");
  assert.equal(locale(), "en-GB");
});

test("a sentence is translated, and its values stay as they are", () => {
  speak("de", { "Uploading {name}": "{name} wird hochgeladen" });
  assert.equal(t("Uploading {name}", { name: "{name} $&" }), "{name} $& wird hochgeladen");
  assert.equal(t("Not translated"), "Not translated");
  assert.equal(list(["Anna", "Ben"]), "Anna und Ben");
});

test("numbers choose the form that the language has for them", () => {
  speak("pl", { "{n} file": ["{n} plik", "{n} pliki", "{n} plików"] }, { one: 0, few: 1, many: 2 });
  assert.equal(tn("{n} file", "{n} files", 1), "1 plik");
  assert.equal(tn("{n} file", "{n} files", 3), "3 pliki");
  assert.equal(tn("{n} file", "{n} files", 5), "5 plików");
});
