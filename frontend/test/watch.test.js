import assert from "node:assert/strict";
import { test } from "node:test";
import { clamp, nextSpeed } from "../src/js/watch/keyboard.js";
import { describePlayerError } from "../src/js/watch/player-errors.js";
import { parsePreferences } from "../src/js/watch/preferences.js";

test("speed moves along the list and stops at its ends", () => {
  assert.equal(nextSpeed(1, 1), 1.25);
  assert.equal(nextSpeed(1, -1), 0.75);
  assert.equal(nextSpeed(1.1, 1), 1.25);
  assert.equal(nextSpeed(2, 1), 2);
  assert.equal(nextSpeed(0.25, -1), 0.25);
});

test("a place in the video stays within it", () => {
  assert.equal(clamp(-5, 60), 0);
  assert.equal(clamp(65, 60), 60);
});

test("only what makes sense is remembered", () => {
  assert.deepEqual(parsePreferences('{"volume":0.4,"muted":true,"speed":1.5}'), {
    volume: 0.4,
    muted: true,
    speed: 1.5,
  });
  for (const text of [null, "", "null", "[]", "{", '{"volume":7,"muted":"yes","speed":0}']) {
    assert.deepEqual(parsePreferences(text), {});
  }
  assert.deepEqual(parsePreferences('{"theatre":true,"autoplay":false}'), { theatre: true, autoplay: false });
  assert.deepEqual(parsePreferences('{"theatre":1,"autoplay":"no"}'), {});
  const captions = { captions: true, language: "pt-BR" };
  assert.deepEqual(parsePreferences(JSON.stringify(captions)), captions);
  assert.deepEqual(parsePreferences('{"captions":"yes","language":"<b>"}'), {});
});

test("errors are explained by what the server answers and what the file is", () => {
  const sentence = (what) => describePlayerError({ status: 200, decoding: false, codec: "hevc", ...what });
  assert.match(sentence({}), /cannot play HEVC \(H\.265\) video/);
  assert.match(sentence({ codec: "hvc1.1.6.L93.B0" }), /cannot play HEVC/);
  assert.match(sentence({ codec: "av01.0.04M.08" }), /cannot play AV1 video/);
  assert.match(sentence({ codec: "xvid" }), /cannot play xvid video/);
  assert.match(sentence({ codec: "" }), /cannot play this kind of video/);
  assert.match(sentence({ status: null }), /cannot be reached/);
  assert.match(sentence({ status: 401 }), /signed out/);
  assert.match(sentence({ status: 404 }), /deleted/);
  assert.match(sentence({ decoding: true }), /Skip ahead/);
});
