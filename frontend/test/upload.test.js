import assert from "node:assert/strict";
import { test } from "node:test";
import { findProblem, titleOf } from "../src/js/upload/check.js";
import { describeState } from "../src/js/upload/processing.js";
import { Queue } from "../src/js/upload/queue.js";
import { newSubmission } from "../src/js/upload/submission.js";
import { percentOf, TabTitle } from "../src/js/upload/tab-title.js";

const limits = { maxSize: 2_000_000 };
const bytes = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const MP4 = bytes("\0\0\0\x20ftypisom");

test("an MP4 file within the limits may be sent", () => {
  assert.equal(findProblem({ name: "a.mp4", size: 1000 }, MP4, limits), null);
  assert.equal(findProblem({ name: "a", size: 1000 }, bytes("\0\0\0\x08wide\0\0\0\0"), limits), null);
});

test("Matroska may be sent where the site takes it", () => {
  const head = bytes("\x1aE\xdf\xa3abcdefgh");
  assert.equal(findProblem({ name: "a.mkv", size: 99 }, head, { ...limits, matroska: true }), null);
});

test("size is checked before anything is sent", () => {
  assert.equal(findProblem({ name: "a.mp4", size: 0 }, bytes(""), limits), "This file is empty.");
  assert.equal(
    findProblem({ name: "a.mp4", size: 3_000_000 }, MP4, limits),
    "This file has 3 MB. The limit is 2 MB.",
  );
});

test("what a file is counts, not what it is called", () => {
  const problem = (text) => findProblem({ name: "holiday.mp4", size: 99 }, bytes(text), limits);
  assert.equal(problem("RIFF\x10\0\0\0AVI "), "This is not a video that is taken here: it is AVI.");
  assert.equal(
    problem("\x1aE\xdf\xa3abcdefgh"),
    "This is not a video that is taken here: it is Matroska or WebM.",
  );
  assert.equal(problem("\x89PNG\r\n\x1a\n\0\0\0\r"), "This is not a video: it is a PNG picture.");
  assert.equal(problem("ffconcat ver"), "This is not a video that is taken here.");
  assert.equal(problem("abc"), "This is not a video that is taken here.");
});

test("a title is the name without its ending", () => {
  assert.equal(titleOf("night train.mp4"), "night train");
  assert.equal(titleOf("2026.11.14 Trieste.MP4"), "2026.11.14 Trieste");
  assert.equal(titleOf(".mp4"), ".mp4");
  assert.equal([...titleOf(`${"🎬".repeat(300)}.mp4`)].length, 200);
});

test("a submission is 22 URL-safe characters, new every time", () => {
  const tokens = new Set(Array.from({ length: 500 }, newSubmission));
  assert.equal(tokens.size, 500);
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
});

test("a queue runs a few jobs at once and the rest in order", async () => {
  const queue = new Queue(2);
  const log = [];
  const ends = [];
  for (const name of ["a", "b", "c", "d"]) {
    queue.add(() => {
      log.push(name);
      return new Promise((resolve) => ends.push(resolve));
    });
  }
  assert.deepEqual(log, ["a", "b"]);
  ends[1]();
  await new Promise(setImmediate);
  assert.deepEqual(log, ["a", "b", "c"]);
  ends[0]();
  await new Promise(setImmediate);
  assert.deepEqual(log, ["a", "b", "c", "d"]);
});

test("a job that fails makes room for the next, and tells who queued it", async () => {
  const queue = new Queue(1);
  const failing = queue.add(() => Promise.reject(new Error("no")));
  const working = queue.add(async () => "yes");
  await assert.rejects(failing, /no/);
  assert.equal(await working, "yes");
});

test("the end is told as it is", () => {
  const tell = (state) =>
    describeState({ state: "processing", watchable: false, words: "", percent: 40, ...state });
  const check = (state) => ({ steps: [{ kind: "check", state }] });
  const words = "Being prepared: 40 %, about 2 minutes left.";
  assert.deepEqual(tell({ state: "done", watchable: true }), {
    sentence: "Ready",
    tone: "good",
    percent: null,
  });
  assert.equal(
    tell({ watchable: true, words, ...check("done") }).sentence,
    "Ready to watch. Being prepared: 40 %, about 2 minutes left.",
  );
  // Before the check it may still turn out to be damaged.
  assert.equal(
    tell({ watchable: true, words, ...check("waiting") }).sentence,
    "Uploaded. Being prepared: 40 %, about 2 minutes left.",
  );
  assert.deepEqual(tell({ words }), { sentence: words, tone: "", percent: 40 });
  const damaged = "The pictures of this file are damaged.";
  assert.deepEqual(tell({ state: "refused", words: damaged }), {
    sentence: damaged,
    tone: "bad",
    percent: null,
  });
  assert.equal(tell({ state: "failed", words: "It could not be prepared." }).tone, "bad");
});

test("the tab tells how far all uploads are together", () => {
  assert.equal(percentOf([]), null);
  assert.equal(
    percentOf([
      { reached: 50, size: 100 },
      { reached: 0, size: 300 },
    ]),
    12,
  );
  const page = { title: "Library · Matinee" };
  const title = new TabTitle(page);
  title.show(43);
  assert.equal(page.title, "43 % · Library · Matinee");
  title.show(44);
  title.show(null);
  assert.equal(page.title, "Library · Matinee");
});
