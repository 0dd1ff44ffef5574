import assert from "node:assert/strict";
import { test } from "node:test";
import { follow, isOver, statesOf } from "../src/js/progress/feed.js";
import { news, sentence } from "../src/js/progress/panel.js";

/** An EventSource whose line the test holds. */
class Line {
  static last;
  readyState = 1;
  #listeners = {};

  constructor(url) {
    this.url = url;
    Line.last = this;
  }

  addEventListener(name, listener) {
    this.#listeners[name] = listener;
  }

  close() {
    this.readyState = 2;
  }

  send(state) {
    this.#listeners.progress({ data: JSON.stringify(state) });
  }

  fail(readyState) {
    this.readyState = readyState;
    this.#listeners.error();
  }
}

/** Answers to polling, in their order, and the pauses between. */
function asking(answers) {
  const pauses = [];
  let next;
  const tools = {
    Source: Line,
    ask: async () => answers.shift(),
    later: (work, pause) => {
      pauses.push(pause);
      next = work;
    },
    forget: () => {
      next = undefined;
    },
  };
  return { tools, pauses, go: () => next?.() };
}

test("news are told as they come, and nothing after the end", () => {
  const told = [];
  follow("/progress", (state) => told.push(state.percent) < 2, { Source: Line });
  for (const percent of [10, 20, 30]) Line.last.send({ percent });
  assert.deepEqual(told, [10, 20]);
  assert.equal(Line.last.readyState, 2);
});

test("a line that is dialled again is left alone", async () => {
  const { tools, pauses } = asking([]);
  follow("/progress", () => true, tools);
  Line.last.fail(0);
  await Promise.resolve();
  assert.deepEqual(pauses, []);
});

test("a line that is refused becomes asking now and then, more rarely while nobody answers", async () => {
  const told = [];
  const { tools, pauses, go } = asking([
    { states: [{ percent: 10 }] },
    {},
    {},
    {},
    {},
    { states: [{ percent: 20 }] },
  ]);
  follow("/progress", (state) => told.push(state.percent), tools);
  Line.last.fail(2);
  await new Promise(setImmediate);
  for (let count = 0; count < 5; count += 1) {
    go();
    await new Promise(setImmediate);
  }
  assert.deepEqual(told, [10, 20]);
  assert.deepEqual(pauses, [4000, 8000, 16000, 30000, 30000, 4000]);
});

test("nobody goes on asking who may not know", async () => {
  const { tools, pauses } = asking([{ gone: true }]);
  follow("/progress", () => true, { ...tools, Source: undefined });
  await new Promise(setImmediate);
  assert.deepEqual(pauses, []);
});

test("whoever stops following hears nothing more", async () => {
  const told = [];
  const { tools, pauses } = asking([{ states: [{ percent: 10 }] }]);
  const end = follow("/progress", (state) => told.push(state), { ...tools, Source: undefined });
  end();
  await new Promise(setImmediate);
  assert.deepEqual([told, pauses], [[], []]);
});

test("answers about one video and about several read alike", () => {
  assert.deepEqual(statesOf({ percent: 1 }), [{ percent: 1 }]);
  assert.deepEqual(statesOf({ videos: { a: { percent: 1 }, b: { percent: 2 } } }), [
    { id: "a", percent: 1 },
    { id: "b", percent: 2 },
  ]);
});

test("what is over is over", () => {
  const over = ["waiting", "processing", "done", "failed", "refused"].filter((state) => isOver({ state }));
  assert.deepEqual(over, ["done", "failed", "refused"]);
});

test("a screen reader is told of new heights and of the end, not of percents", () => {
  const at = (percent, heights, state = "processing") => ({ percent, heights, state, words: "All is done." });
  assert.equal(sentence(at(1, [240]), at(2, [240])), "");
  assert.equal(sentence(at(1, []), at(2, [240, 360])), "240p and 360p can be played now.");
  assert.equal(sentence(at(99, [240]), at(100, [240, 360], "done")), "All is done.");
  assert.equal(sentence(at(100, [240], "done"), at(100, [240], "done")), "");
});

test("a player is told of each height, of a master that waited for its sound, and of the storyboard once", () => {
  const at = (heights, master = null, storyboard = null) => ({ heights, master, storyboard });
  const names = (before, after) => news(before, after).map(([name]) => name);
  assert.deepEqual(names(at([]), at([240])), []);
  assert.deepEqual(names(at([240]), at([240], "/m")), ["renditions"]);
  assert.deepEqual(news(at([240], "/m"), at([240, 360], "/m")), [
    ["renditions", { heights: [240, 360], master: "/m" }],
  ]);
  assert.deepEqual(news(at([240], "/m"), at([240], "/m", "/s")), [["storyboard", { storyboard: "/s" }]]);
  assert.deepEqual(names({ heights: [240], master: "/m", storyboard: "/s" }, at([240], "/m", "/s")), []);
});
