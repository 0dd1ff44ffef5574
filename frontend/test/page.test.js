import assert from "node:assert/strict";
import { test } from "node:test";
import { chapterAt } from "../src/js/watch/chapters.js";
import { listFacts } from "../src/js/watch/facts.js";
import { measuredSpeed, parseEstimate, secondsToLoad } from "../src/js/watch/line.js";
import { countDown } from "../src/js/watch/next-up.js";
import { makeTapCounter, tapZone } from "../src/js/watch/taps.js";
import { linkAt } from "../src/js/watch/times.js";
import { holdsWords } from "../src/js/watch/transcript.js";

test("a chapter lasts until the next begins", () => {
  const chapters = [{ start: 0 }, { start: 15 }, { start: 32 }];
  assert.deepEqual(
    [0, 14.9, 15, 31, 400].map((time) => chapterAt(chapters, time)),
    [0, 0, 1, 1, 2],
  );
  assert.equal(chapterAt([{ start: 5 }], 1), -1);
});

test("only the sides of the picture take double taps", () => {
  assert.deepEqual(
    [10, 150, 290].map((x) => tapZone(x, 300)),
    [-1, 0, 1],
  );
});

test("taps in a row go further, and a slow or a distant one begins again", () => {
  const count = makeTapCounter();
  assert.deepEqual([count(1, 0), count(1, 200), count(1, 400), count(1, 900)], [0, 1, 2, 0]);
  assert.deepEqual([count(1, 1000), count(-1, 1100), count(-1, 1200)], [1, 0, 1]);
  assert.deepEqual([count(0, 2000), count(0, 2100)], [0, 0]);
});

test("a link to a moment has whole seconds, and none at the start", () => {
  const page = { origin: "https://a.example", pathname: "/stream/x" };
  assert.equal(linkAt(page, null), "https://a.example/stream/x");
  assert.equal(linkAt(page, 0.4), "https://a.example/stream/x");
  assert.equal(linkAt(page, 42.9), "https://a.example/stream/x?t=42");
});

test("a transcript is searched by words, whatever their case and accents", () => {
  assert.ok(holdsWords("Le Passé composé", "passe compose"));
  assert.ok(holdsWords("The boats come home", "home BOATS"));
  assert.ok(holdsWords("anything", ""));
  assert.ok(!holdsWords("The boats come home", "boat house"));
});

test("the speed of the line is that of the slowest large file", () => {
  const file = (transferSize, milliseconds) => ({
    transferSize,
    responseStart: 100,
    responseEnd: 100 + milliseconds,
  });
  assert.equal(measuredSpeed([file(150_000, 3000), file(100_000, 1000), file(900, 2)]), 400_000);
  assert.equal(measuredSpeed([file(900, 2)]), null);
  assert.equal(measuredSpeed([file(0, 0)]), null, "from the cache");
  assert.ok(Number.isFinite(measuredSpeed([file(150_000, 0)])));
  assert.equal(secondsToLoad(500_000, 4, 1_000_000), 2);
});

test("an estimate is used only while it is fresh", () => {
  const stored = JSON.stringify({ speed: 800_000, when: 1000 });
  assert.equal(parseEstimate(stored, 60_000), 800_000);
  assert.equal(parseEstimate(stored, 3_600_000), null);
  for (const text of [null, "", "null", "{", '{"speed":-1,"when":1000}', '{"speed":"fast"}']) {
    assert.equal(parseEstimate(text, 2000), null);
  }
});

test("a countdown tells each second and can be stopped", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const told = [];
  let ended = 0;
  const begin = () =>
    countDown(
      3,
      (left) => told.push(left),
      () => {
        ended += 1;
      },
    );
  begin();
  for (const _ of [1, 2, 3]) context.mock.timers.tick(1000);
  assert.deepEqual(told, [3, 2, 1]);
  assert.equal(ended, 1);
  const stop = begin();
  context.mock.timers.tick(1000);
  stop();
  context.mock.timers.tick(9000);
  assert.equal(ended, 1);
});

test("facts name what is played, as far as it is known", () => {
  const now = {
    picture: { width: 1280, height: 720 },
    shown: { width: 640.4, height: 360 },
    source: { kind: "file" },
    buffered: 12.34,
    frames: undefined,
  };
  assert.deepEqual(Object.fromEntries(listFacts(now)), {
    Picture: "1280×720",
    Player: "640×360",
    Source: "The uploaded file",
    Buffer: "12.3 s",
  });
  const level = { bitrate: 1_600_000, videoCodec: "avc1.64001f", audioCodec: "mp4a.40.2" };
  const facts = Object.fromEntries(
    listFacts({
      ...now,
      source: { kind: "adaptive", rendition: "720p", level, bandwidth: 8_000_000 },
      frames: { droppedVideoFrames: 2, totalVideoFrames: 900 },
    }),
  );
  assert.equal(facts.Source, "HLS, 720p");
  assert.equal(facts.Codecs, "avc1.64001f, mp4a.40.2");
  assert.equal(facts["Bit rate"], "200 kB/s");
  assert.equal(facts["Dropped frames"], "2 of 900");
});
