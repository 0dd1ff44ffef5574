import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeRefused, Details, stepForUpload, stepsForVideo } from "../src/js/upload/details.js";

const ID = "A".repeat(22);
const anna = { name: "Anna", user: "Anna" };
const family = { name: "Family", group: "G" };

const GONE = { status: 404, body: {} };

/** A server that answers as it is told, and notes what it was asked. */
function server(answers) {
  const asked = [];
  const ask = async (step) => {
    asked.push(step);
    const answer = answers.shift() ?? { status: 200, body: {} };
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { ask, asked };
}

test("an unfinished upload is told everything in one request", () => {
  assert.deepEqual(
    stepForUpload(ID, { title: "Train", people: [anna, family, { name: "x", anyone: "x" }] }),
    {
      method: "PATCH",
      address: `/api/uploads/${ID}`,
      body: {
        title: "Train",
        grants: [
          { user: "Anna", level: "watch" },
          { group: "G", level: "watch" },
          { anyone: "x", level: "watch" },
        ],
      },
    },
  );
});

test("a video is changed by its own addresses", () => {
  const before = { people: [anna], collections: ["old"] };
  const access = [
    { kind: "user", name: "Anna", grant: "through a collection", via: { collection: "c" } },
    { kind: "user", name: "Anna", grant: "g1", via: null },
  ];
  const changes = { visibility: "members", people: [family], collections: ["new"] };
  const steps = stepsForVideo(ID, changes, before, access);
  assert.deepEqual(
    steps.map(({ method, address }) => `${method} ${address}`),
    [
      `PATCH /api/videos/${ID}`,
      "DELETE /api/grants/g1",
      `POST /api/videos/${ID}/grants`,
      `DELETE /api/collections/old/items/${ID}`,
      `PUT /api/collections/new/items/${ID}`,
    ],
  );
});

test("what is said before the upload is on the server is told once it is", async () => {
  const { ask, asked } = server([GONE, { status: 200, body: { grants: [{ ...anna, level: "watch" }] } }]);
  const details = new Details(ask);
  details.change({ title: "One" });
  assert.equal(await details.save(), false);
  details.change({ title: "Two", people: [{ name: "anna", anyone: "anna" }] });
  await details.found(ID);
  assert.equal(await details.save(), true);
  assert.deepEqual(
    asked.map(({ body }) => body?.title),
    [undefined, "Two"],
  );
  assert.deepEqual(details.people, [{ ...anna, group: undefined }]);
  assert.deepEqual(details.waiting, {});
});

test("a change that crosses the last byte goes to the video", async () => {
  const { ask, asked } = server([GONE, { status: 409, body: { error: "It is complete." } }]);
  const details = new Details(ask);
  await details.found(ID);
  details.change({ title: "Late" });
  assert.equal(await details.save(), true);
  assert.deepEqual(
    asked.map(({ address }) => address),
    [`/api/uploads/${ID}`, `/api/uploads/${ID}`, `/api/videos/${ID}`],
  );
});

test("a lost connection keeps a change, and a refusal gives it up", async () => {
  const { ask } = server([
    GONE,
    new TypeError("away"),
    { status: 422, body: { error: "Nobody is called that." } },
  ]);
  const details = new Details(ask);
  await details.found(ID);
  details.change({ title: "Kept" });
  await assert.rejects(details.save(), TypeError);
  assert.deepEqual(details.waiting, { title: "Kept" });
  details.change({ people: [{ name: "nobody", anyone: "nobody" }] });
  await assert.rejects(details.save(), (error) => {
    assert.ok(error instanceof ChangeRefused);
    assert.equal(error.message, "Nobody is called that.");
    return true;
  });
  assert.deepEqual(details.waiting, {});
});

test("what is said while the server is asked what it knows is told after that", async () => {
  let answer;
  const asked = [];
  const details = new Details(async (step) => {
    asked.push(step);
    if (step.method !== "GET") return { status: 200, body: {} };
    return new Promise((resolve) => {
      answer = () => resolve({ status: 200, body: { title: "Old" } });
    });
  });
  const found = details.found(ID);
  details.change({ people: [{ name: "anna", anyone: "anna" }] });
  assert.equal(await details.save(), false);
  answer();
  assert.deepEqual(await found, { title: "Old" });
  assert.deepEqual(details.waiting.people, [{ name: "anna", anyone: "anna" }]);
  assert.equal(await details.save(), true);
  assert.deepEqual(
    asked.map(({ method }) => method),
    ["GET", "PATCH"],
  );
});

test("without a connection the upload is known all the same", async () => {
  const { ask } = server([new TypeError("away")]);
  const details = new Details(ask);
  assert.equal(await details.found(ID), null);
  details.change({ title: "Told" });
  assert.equal(await details.save(), true);
});
