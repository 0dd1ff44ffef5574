import assert from "node:assert/strict";
import { test } from "node:test";
import { range, spread } from "../src/js/library/range.js";

const LETTERS = ["a", "b", "c", "d", "e"];

test("a range holds both of its ends, whichever comes first", () => {
  assert.deepEqual(range(LETTERS, "b", "d"), ["b", "c", "d"]);
  assert.deepEqual(range(LETTERS, "d", "b"), ["b", "c", "d"]);
  assert.deepEqual(range(LETTERS, "c", "c"), ["c"]);
});

test("a range from something that is gone is only its other end", () => {
  assert.deepEqual(range(LETTERS, "x", "d"), ["d"]);
});

test("moments are spread over the whole list", () => {
  assert.deepEqual(spread(LETTERS, 9), LETTERS);
  assert.deepEqual(spread([0, 1, 2, 3, 4, 5, 6, 7], 4), [0, 2, 4, 6]);
  assert.equal(spread([...Array(100).keys()], 12).length, 12);
});
