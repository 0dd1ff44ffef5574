/**
 * The upload page: many files instead of one form. Without this script the form sends one file.
 */
import { Announcer } from "./upload/announcer.js";
import { findProblem, HEAD_BYTES, titleOf } from "./upload/check.js";
import { acceptDrops } from "./upload/drop.js";
import { Pace } from "./upload/pace.js";
import { Queue } from "./upload/queue.js";
import { Row } from "./upload/row.js";
import { newSubmission } from "./upload/submission.js";
import { Refused, transfer } from "./upload/transfer.js";

/** Two, so that a short film does not wait for a long one. */
const AT_ONCE = 2;

/** Numbers that change faster than this cannot be read. */
const SHOW_EVERY_MS = 250;

const form = document.getElementById("upload");
const input = form.elements.file;
const section = document.getElementById("transfers");
const template = document.getElementById("transfer");
const announcer = new Announcer(document.getElementById("announcer"));
const queue = new Queue(AT_ONCE);
const limits = {
  maxSize: Number(form.dataset.maxSize),
  free: Number(form.dataset.free ?? Number.POSITIVE_INFINITY),
};
const running = new Set();
let firstSubmission = form.elements.submission.value;

function enhance() {
  for (const part of form.querySelectorAll("[data-native]")) part.hidden = true;
  for (const part of form.querySelectorAll("[data-enhanced]")) part.hidden = false;
  const label = form.querySelector("label[for=file]");
  label.className = "button primary";
  label.textContent = "Choose files";
  input.classList.add("hidden-text");
  input.multiple = true;
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  acceptDrops(form.querySelector(".drop"), take);
  window.addEventListener("beforeunload", (event) => {
    if (running.size > 0) event.preventDefault();
  });
}

/** @param {File[]} files */
function take(files) {
  for (const file of files) {
    const row = new Row(template, file);
    section.hidden = false;
    section.querySelector("ul").append(row.element);
    // A retry uses the same token, so it cannot make a second video.
    const submission = firstSubmission || newSubmission();
    firstSubmission = "";
    let stop;
    const start = () => {
      stop = new AbortController();
      schedule(row, submission, stop.signal);
    };
    row.onCancel(() => stop.abort(new Refused("Cancelled.")));
    row.onRetry(start);
    start();
  }
}

/** Look at the file, wait for a turn, then send. */
async function schedule(row, submission, signal) {
  row.waiting();
  running.add(row);
  signal.addEventListener("abort", () => settle(row, signal.reason), { once: true });
  const problem = await examine(row.file);
  if (signal.aborted) return;
  if (problem) {
    settle(row, new Refused(problem, { final: true }));
    return;
  }
  queue.add(async () => {
    if (signal.aborted) return;
    try {
      const video = await send(row, submission, signal);
      running.delete(row);
      row.done(video);
      announcer.say(`${row.file.name}: done.`);
    } catch (error) {
      if (!signal.aborted) settle(row, error);
    }
  });
}

function send(row, submission, signal) {
  const { file } = row;
  const pace = new Pace();
  let shownAt = 0;
  return transfer({
    url: form.action,
    file,
    title: titleOf(file.name),
    submission,
    signal,
    onProgress: (bytes) => {
      const now = performance.now();
      pace.note(now, bytes);
      if (bytes >= file.size) {
        row.checking();
      } else if (now - shownAt >= SHOW_EVERY_MS) {
        shownAt = now;
        row.sending(bytes, pace);
      }
      announcer.progress(`${file.name}: ${Math.floor((100 * bytes) / file.size)} %.`);
    },
  });
}

/** @returns {Promise<string | null>} why the file should not be sent, if it should not */
async function examine(file) {
  try {
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    return findProblem(file, head, limits);
  } catch {
    return "This cannot be read. If it is a folder, drop the files in it.";
  }
}

function settle(row, error) {
  running.delete(row);
  if (error instanceof Refused) {
    row.failed(error.message, { retry: !error.final, signedOut: error.signedOut });
    announcer.say(`${row.file.name}: ${error.message}`);
  } else {
    row.failed("Something went wrong on this page. Try again.", { retry: true });
    throw error;
  }
}

enhance();
