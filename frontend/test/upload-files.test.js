import assert from "node:assert/strict";
import { test } from "node:test";
import { isVideo, walk } from "../src/js/site/files.js";

const file = (name, type = "") => ({
  name,
  isDirectory: false,
  file: (resolve) => resolve(new File(["x"], name, { type })),
});

/** A folder that tells two entries at a time, as browsers tell a hundred. */
const folder = (name, entries) => ({
  name,
  isDirectory: true,
  createReader: () => {
    const left = [...entries];
    return { readEntries: (resolve) => resolve(left.splice(0, 2)) };
  },
});

test("of folders the videos are taken, and the others counted", async () => {
  const found = await walk([
    folder("Holiday", [
      file("clip 10.mp4"),
      file("clip 2.MOV"),
      file("notes.txt"),
      folder("Day 2", [file("c.webm"), file("._c.webm"), file("Thumbs.db")]),
      file("from-camera", "video/mp4"),
    ]),
  ]);
  assert.deepEqual(
    found.files.map(({ name }) => name),
    ["clip 2.MOV", "clip 10.mp4", "c.webm", "from-camera"],
  );
  assert.equal(found.left, 3);
});

test("a file that was dropped by itself is taken, so that its row says what is wrong", async () => {
  const found = await walk([file("notes.txt"), folder("Empty", [])]);
  assert.deepEqual([found.files.map(({ name }) => name), found.left], [["notes.txt"], 0]);
});

test("videos are told by their type or their name", () => {
  assert.ok(isVideo({ name: "a.mkv" }));
  assert.ok(isVideo({ name: "a", type: "video/x-matroska" }));
  assert.ok(!isVideo({ name: "a.mp3", type: "audio/mpeg" }));
});
