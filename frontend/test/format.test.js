import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatProgress, formatSpeed, formatTimeLeft } from "../src/js/format.js";

test("bytes are written in powers of a thousand with one decimal", () => {
  const cases = {
    0: "0 bytes",
    1: "1 byte",
    999: "999 bytes",
    1000: "1 kB",
    12345678: "12.3 MB",
    999949: "999.9 kB",
    999950: "1 MB",
    17179869184: "17.2 GB",
    16000000000: "16 GB",
    1200000000000000: "1200 TB",
  };
  for (const [bytes, words] of Object.entries(cases)) assert.equal(formatBytes(Number(bytes)), words);
});

test("progress names the unit once when both numbers share it", () => {
  assert.equal(formatProgress(1_900_000_000, 3_100_000_000), "1.9 of 3.1 GB");
  assert.equal(formatProgress(800_000, 3_100_000_000), "800 kB of 3.1 GB");
});

test("speed is bytes a second", () => {
  assert.equal(formatSpeed(24_000_000.4), "24 MB/s");
});

test("time left is coarse", () => {
  const cases = [
    [0, "a few seconds left"],
    [46, "50 s left"],
    [54.9, "55 s left"],
    [55, "1 min left"],
    [170, "3 min left"],
    [3600, "1 h left"],
    [3900, "1 h 5 min left"],
    [3599, "1 h left"],
    [90000, "more than a day left"],
  ];
  for (const [seconds, words] of cases) assert.equal(formatTimeLeft(seconds), words);
});
