import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../src/js/upload/pace.js";

test("nothing is said before there is enough to go by", () => {
  const pace = new Pace();
  assert.equal(pace.speed(), null);
  pace.note(0, 0);
  pace.note(400, 1000);
  assert.equal(pace.speed(), null);
  assert.equal(pace.timeLeft(1000), null);
});

test("speed is that of the last seconds, not of the whole", () => {
  const pace = new Pace();
  for (let second = 0; second <= 10; second += 1) pace.note(second * 1000, second * 100);
  for (let second = 11; second <= 20; second += 1) pace.note(second * 1000, 1000 + (second - 10) * 5000);
  assert.equal(pace.speed(), 5000);
  assert.equal(pace.timeLeft(25_000), 5);
});

test("a stalled transfer has no time left to tell", () => {
  const pace = new Pace();
  for (let second = 0; second <= 20; second += 1) pace.note(second * 1000, 700);
  assert.equal(pace.speed(), 0);
  assert.equal(pace.timeLeft(1), null);
});

test("marks far apart still give a speed", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(60_000, 60_000);
  assert.equal(pace.speed(), 1000);
});

test("fewer bytes than before is a new beginning", () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(1000, 5000);
  pace.note(2000, 0);
  assert.equal(pace.speed(), null);
});
