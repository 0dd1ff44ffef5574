import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff, describeWait } from "../src/js/upload/backoff.js";
import { explain, sentenceIn, UploadInterrupted, UploadRejected } from "../src/js/upload/errors.js";
import { fingerprintOf, murmur3 } from "../src/js/upload/fingerprint.js";
import { findMatch } from "../src/js/upload/match.js";
import { RetrySignal } from "../src/js/upload/retry-signal.js";
import { UploadsApi } from "../src/js/upload/uploads-api.js";

const bytes = (text) => new TextEncoder().encode(text);
const never = new AbortController().signal;

test("the hash is MurmurHash3", () => {
  assert.equal(murmur3(bytes(""), 0), 0);
  assert.equal(murmur3(bytes(""), 1), 0x514e28b7);
  assert.equal(murmur3(bytes("test"), 0), 0xba6bd213);
  assert.equal(murmur3(bytes("Hello, world!"), 0x9747b28c), 0x24884cba);
  assert.equal(murmur3(bytes("aa"), 0x9747b28c), 0x5d211726);
});

test("a fingerprint is what the server takes, and the same for the same bytes", async () => {
  const film = new Uint8Array(1_000_000).map((_, at) => at % 251);
  const one = await fingerprintOf(new File([film], "one.mp4", { lastModified: 1 }));
  const other = await fingerprintOf(new File([film], "other.mp4", { lastModified: 2 }));
  assert.match(one, /^[A-Za-z0-9_-]{34}$/);
  assert.equal(one, other);
});

test("a fingerprint tells files apart by their size, start, middle and end", async () => {
  const size = 1_000_000;
  const seen = new Set();
  for (const at of [null, 0, 65_535, size / 2, size - 65_536, size - 1]) {
    const film = new Uint8Array(size);
    if (at !== null) film[at] = 1;
    seen.add(await fingerprintOf(new Blob([film])));
  }
  seen.add(await fingerprintOf(new Blob([new Uint8Array(size + 1)])));
  for (const small of [0, 1, 2, 3, 4, 5]) seen.add(await fingerprintOf(new Blob([new Uint8Array(small)])));
  assert.equal(seen.size, 13);
});

test("an upload is found by what is in the file, and the fullest of several wins", () => {
  const upload = (id, offset, more = {}) => ({ id, offset, fingerprint: "1-a", length: 10, ...more });
  const uploads = [
    upload("other size", 9, { length: 11 }),
    upload("other bytes", 9, { fingerprint: "1-b" }),
    upload("no fingerprint", 9, { fingerprint: null }),
    upload("less", 1),
    upload("more", 5),
  ];
  assert.equal(findMatch(uploads, { fingerprint: "1-a", size: 10 }).id, "more");
  assert.equal(findMatch(uploads, { fingerprint: "1-c", size: 10 }), undefined);
});

test("a file does not take the upload that the page creates for another file with the same content", async (t) => {
  const listed = [];
  t.mock.method(globalThis, "fetch", async () => Response.json({ uploads: listed }));
  const api = new UploadsApi(() => {});
  const file = { fingerprint: "f", size: 10 };
  assert.equal(await api.claim({ ...file, submission: "one" }), null);
  // The server has created it, and the answer is still on its way.
  listed.push({ url: "/upload/files/1", submission: "one", fingerprint: "f", length: 10, offset: 0 });

  assert.equal(await api.claim({ ...file, submission: "two" }), null);
  assert.deepEqual(await api.unfinished(), []);
  assert.equal(await api.claim({ ...file, submission: "one" }), "/upload/files/1");
  api.release("/upload/files/1", "one");
  assert.equal(await api.claim({ ...file, submission: "two" }), "/upload/files/1");
});

test("waits grow, without an end, and start over once something has arrived", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 9 }, () => backoff.next(100));
  assert.deepEqual(waits, [0, 1, 3, 5, 10, 20, 30, 30, 30]);
  assert.equal(backoff.next(101), 0);
  assert.equal(backoff.next(101), 1);
  assert.equal(backoff.next(50), 3);
});

test("a wait is at least as long as the server asks for", () => {
  const backoff = new Backoff();
  assert.equal(backoff.next(0, 10), 10);
  assert.equal(backoff.next(0, 0), 1);
});

test("a wait is described with what is wrong", () => {
  assert.equal(describeWait("Connection lost.", 5), "Connection lost. Trying again in 5 s.");
  assert.equal(describeWait("Connection lost.", 0), "Connection lost. Trying again now.");
});

test("a wait ends by itself, when signalled, or when stopped", async () => {
  const retrySignal = new RetrySignal();
  assert.equal(await retrySignal.wait(1, never), false);
  const waits = [retrySignal.wait(60_000, never), retrySignal.wait(Number.POSITIVE_INFINITY, never)];
  retrySignal.fire();
  assert.deepEqual(await Promise.all(waits), [true, true]);
  const stop = new AbortController();
  const stopped = retrySignal.wait(60_000, stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(stopped, /stopped/);
  await assert.rejects(retrySignal.wait(60_000, stop.signal), /stopped/);
});

test("the server's own sentence is shown", () => {
  const refused = explain(422, { sentence: "It has no pictures." });
  assert.ok(refused instanceof UploadRejected);
  assert.equal(refused.message, "It has no pictures.");
  assert.equal(sentenceIn('{"error": "It has no pictures."}'), "It has no pictures.");
  for (const other of ["", "<h1>Bad gateway</h1>", "null", '{"error": 3}', "[]"]) {
    assert.equal(sentenceIn(other), null);
  }
});

test("what trying again cannot help is final", () => {
  for (const status of [400, 403, 412, 413, 415, 422]) assert.equal(explain(status).final, true, `${status}`);
});

test("what passes is an interruption, and nothing is lost by it", () => {
  for (const status of [0, 401, 409, 423, 429, 460, 500, 502, 503, 504]) {
    assert.ok(explain(status, { begun: true }) instanceof UploadInterrupted, `${status}`);
  }
  assert.equal(explain(401).signedOut, true);
  assert.equal(explain(503, { retryAfter: 30 }).minDelay, 30);
});

test("a full disk ends an upload that has not begun, and holds up one that has", () => {
  const sentence = "There is not enough space left.";
  assert.ok(explain(507, { sentence }) instanceof UploadRejected);
  assert.equal(explain(507, { sentence }).final, false);
  assert.ok(explain(507, { sentence, begun: true }) instanceof UploadInterrupted);
  assert.equal(explain(507, { sentence, begun: true }).message, sentence);
});

test("an upload that is gone can be sent again from its start", () => {
  for (const status of [404, 410]) {
    assert.ok(explain(status, { begun: true }) instanceof UploadRejected);
    assert.equal(explain(status, { begun: true }).final, false);
  }
  assert.equal(explain(404).final, true);
});
