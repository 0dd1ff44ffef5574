import assert from "node:assert/strict";
import { test } from "node:test";
import { formatClock } from "../src/js/format.js";
import { suitableTrack } from "../src/js/watch/captions.js";
import {
  levelOf,
  nameOf,
  qualityChoices,
  renditionsOf,
  settledChoice,
  withForeseen,
} from "../src/js/watch/quality.js";
import { startInAddress, startOf } from "../src/js/watch/resume.js";
import { parseStoryboard } from "../src/js/watch/storyboard.js";

const LEVELS = [
  { height: 240, url: ["https://a.example/stream/x/hls/240p.m3u8"] },
  { height: 480, url: ["https://a.example/stream/x/hls/480p.m3u8"] },
  { height: 720, url: ["https://a.example/stream/x/hls/source.m3u8"] },
];
const RENDITIONS = renditionsOf(LEVELS);

const offered = (now) =>
  qualityChoices({
    renditions: RENDITIONS,
    playing: "480p",
    chosen: "auto",
    adaptive: true,
    originalPlays: true,
    ...now,
  });
const words = (now) => offered(now).map(({ label, note, checked }) => (checked ? "* " : "") + label + note);

test("the menu shows the best first, and what automatic means now", () => {
  assert.deepEqual(words({}), ["* Auto (480p)", "Original720p", "480p", "240p"]);
  assert.deepEqual(words({ playing: "source" })[0], "* Auto (720p)");
  assert.deepEqual(words({ playing: null })[0], "* Auto");
});

test("a choice by hand is marked, and automatic no longer says what is on", () => {
  assert.deepEqual(words({ chosen: "240p" }), ["Auto", "Original720p", "480p", "* 240p"]);
  assert.deepEqual(words({ chosen: "original" })[1], "* Original720p");
});

test("without a rendition of it, the original is offered where the browser can play it", () => {
  const renditions = RENDITIONS.slice(1);
  assert.deepEqual(words({ renditions }), ["* Auto (480p)", "Original", "480p", "240p"]);
  assert.deepEqual(words({ renditions, originalPlays: false }), ["* Auto (480p)", "480p", "240p"]);
});

test("there is no choice before there is HLS, and a choice that is gone becomes automatic", () => {
  assert.deepEqual(offered({ adaptive: false }), []);
  assert.deepEqual(words({ chosen: "1080p", playing: null })[0], "* Auto");
});

test("choices lead to levels", () => {
  assert.equal(levelOf(RENDITIONS, "auto"), -1);
  assert.equal(levelOf(RENDITIONS, "original"), 2);
  assert.equal(levelOf(RENDITIONS, "240p"), 0);
  assert.equal(levelOf(RENDITIONS, "1080p"), null);
  assert.equal(levelOf(withForeseen(RENDITIONS, [240, 1080]), "1080p"), null);
});

test("a choice made by height alone is settled when the renditions are known", () => {
  const settled = (choice) => settledChoice(RENDITIONS, choice);
  assert.deepEqual(["auto", "480p", "original"].map(settled), ["auto", "480p", "original"]);
  assert.equal(settled("720p"), "original");
  assert.equal(settled("1080p"), "auto");
});

test("renditions are called after their playlists", () => {
  assert.equal(nameOf("/stream/x/hls/720p.m3u8?v=2"), "720p");
  assert.equal(nameOf("nothing"), "");
});

test("heights that the server tells of are offered before their renditions are known, and only once", () => {
  const names = (known, heights) => withForeseen(known, heights).map((one) => one.name);
  assert.deepEqual(names([], [240, 1080, 480]), ["1080p", "480p", "240p"]);
  assert.deepEqual(names(RENDITIONS, [240, 360, 480, 720]), ["source", "480p", "360p", "240p"]);
});

const address = (hash, search = "") => ({ hash, search });

test("an address may say where to begin", () => {
  const start = (hash) => startInAddress(address(hash));
  assert.equal(start("#t=90"), 90);
  assert.equal(start("#t=12.5"), 12.5);
  assert.equal(start("#t=1:30"), 90);
  assert.equal(start("#t=1:00:05"), 3605);
  assert.equal(start("#t=1m30s"), 90);
  assert.equal(start("#t=2h"), 7200);
  for (const hash of ["", "#", "#keys", "#t=", "#t=soon", "#t=-5", "#t=1:2"]) {
    assert.equal(start(hash), null, hash);
  }
});

test("the query may say it as well, and the fragment goes before it", () => {
  assert.equal(startInAddress(address("", "?t=25")), 25);
  assert.equal(startInAddress(address("#captions", "?done=saved&t=1:30")), 90);
  assert.equal(startInAddress(address("#t=90", "?t=25")), 90);
});

test("the address goes before the saved position", () => {
  const saved = { position: 20.25, length: 60 };
  assert.equal(startOf(address("#t=90"), saved), 90);
  assert.equal(startOf(address("#t=0"), saved), 0);
  assert.equal(startOf(address(""), saved), 20.25);
  assert.equal(startOf(address(""), { position: Number.NaN, length: 60 }), 0);
});

test("a video resumes from ten seconds, or from a twentieth of a short one", () => {
  const start = (position, length) => startOf(address(""), { position, length });
  assert.equal(start(0, 60), 0);
  assert.equal(start(1, 60), 0);
  assert.equal(start(3, 60), 3);
  assert.equal(start(9, 6000), 0);
  assert.equal(start(10, 6000), 10);
});

test("captions are those of the language asked for, or as near as there are", () => {
  const tracks = ["de", "en-GB", "pt-BR"].map((language) => ({ language }));
  assert.equal(suitableTrack(tracks, "pt-br", ["en"]), 2);
  assert.equal(suitableTrack(tracks, "en", ["de"]), 1);
  assert.equal(suitableTrack(tracks, "fr", ["pt-PT", "de"]), 2);
  assert.equal(suitableTrack(tracks, undefined, ["ja"]), 0);
  assert.equal(suitableTrack([], "de", ["de"]), -1);
});

test("a storyboard is read whatever ends its lines, and without what makes no sense", () => {
  const text = [
    "WEBVTT",
    "",
    "1",
    "00:00.000 --> 00:05.000",
    "storyboard.jpg#xywh=0,0,160,90",
    "",
    "01:00:05.000 --> 01:00:10.500 align:start",
    "storyboard.jpg#xywh=160,0,160,90",
    "",
    "00:10.000 --> 00:15.000",
    "no picture",
    "",
  ];
  for (const end of ["\n", "\r\n"]) {
    const frames = parseStoryboard(text.join(end), "https://a.example/stream/x/storyboard.vtt");
    assert.deepEqual(
      frames.map(({ startTime, endTime, x, w }) => [startTime, endTime, x, w]),
      [
        [0, 5, 0, 160],
        [3605, 3610.5, 160, 160],
      ],
    );
    assert.equal(frames[0].text, "https://a.example/stream/x/storyboard.jpg");
  }
  assert.deepEqual(parseStoryboard("<!doctype html>", "https://a.example/"), []);
});

test("times are written as the server writes them", () => {
  assert.equal(formatClock(185.4), "3:05");
  assert.equal(formatClock(3723), "1:02:03");
  assert.equal(formatClock(0), "0:00");
  assert.equal(formatClock(199.6), "3:19");
});
