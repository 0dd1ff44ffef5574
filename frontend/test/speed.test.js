import assert from "node:assert/strict";
import { test } from "node:test";
import { SpeedMeter } from "../src/js/upload/speed.js";

test("nothing is said before there is enough to go by", () => {
  const speedMeter = new SpeedMeter();
  assert.equal(speedMeter.speed(), null);
  speedMeter.note(0, 0);
  speedMeter.note(400, 1000);
  assert.equal(speedMeter.speed(), null);
  assert.equal(speedMeter.timeLeft(1000), null);
});

test("speed is that of the last seconds, not of the whole", () => {
  const speedMeter = new SpeedMeter();
  for (let second = 0; second <= 10; second += 1) speedMeter.note(second * 1000, second * 100);
  for (let second = 11; second <= 20; second += 1)
    speedMeter.note(second * 1000, 1000 + (second - 10) * 5000);
  assert.equal(speedMeter.speed(), 5000);
  assert.equal(speedMeter.timeLeft(25_000), 5);
});

test("a stalled transfer has no time left to tell", () => {
  const speedMeter = new SpeedMeter();
  for (let second = 0; second <= 20; second += 1) speedMeter.note(second * 1000, 700);
  assert.equal(speedMeter.speed(), 0);
  assert.equal(speedMeter.timeLeft(1), null);
});

test("marks far apart still give a speed", () => {
  const speedMeter = new SpeedMeter();
  speedMeter.note(0, 0);
  speedMeter.note(60_000, 60_000);
  assert.equal(speedMeter.speed(), 1000);
});

test("fewer bytes than before is a new beginning", () => {
  const speedMeter = new SpeedMeter();
  speedMeter.note(0, 0);
  speedMeter.note(1000, 5000);
  speedMeter.note(2000, 0);
  assert.equal(speedMeter.speed(), null);
});
