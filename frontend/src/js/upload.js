/**
 * The upload page: several files, each of which can be paused and resumed. Without this script the
 * form sends one file.
 */

import { Announcer } from "./upload/announcer.js";
import { acceptDrops } from "./upload/drop.js";
import { ProcessingWatch } from "./upload/processing.js";
import { Queue } from "./upload/queue.js";
import { RetrySignal } from "./upload/retry-signal.js";
import { Row } from "./upload/row.js";
import { newSubmission } from "./upload/submission.js";
import { UnfinishedList } from "./upload/unfinished.js";
import { UploadTask } from "./upload/upload-task.js";
import { UploadsApi } from "./upload/uploads-api.js";

/** Two, so that a small file does not wait for a large one. */
const AT_ONCE = 2;

const form = document.getElementById("upload");
const input = form.elements.file;
const section = document.getElementById("transfers");
const template = document.getElementById("transfer");
const tasks = [];
let firstSubmission = form.elements.submission.value;

const page = {
  endpoint: new URL("/upload/files", location.href).href,
  limits: { maxSize: Number(form.dataset.maxSize), matroska: "matroska" in form.dataset },
  queue: new Queue(AT_ONCE),
  uploadsApi: new UploadsApi(() => unfinished.refresh()),
  retrySignal: new RetrySignal(),
  processing: new ProcessingWatch(),
  announcer: new Announcer(document.getElementById("announcer")),
};
const unfinished = new UnfinishedList({
  section: document.getElementById("unfinished"),
  template: document.getElementById("unfinished-upload"),
  uploadsApi: page.uploadsApi,
  announcer: page.announcer,
  take,
});

function enhance() {
  for (const part of document.querySelectorAll("[data-native]")) part.hidden = true;
  for (const part of document.querySelectorAll("[data-enhanced]")) part.hidden = false;
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
  acceptDrops(form.querySelector(".drop-zone"), take);
}

function listen() {
  window.addEventListener("beforeunload", (event) => {
    if (tasks.some((task) => task.active)) event.preventDefault();
  });
  // The network is back, or the user returns, perhaps after signing in.
  for (const news of ["online", "focus"]) window.addEventListener(news, () => page.retrySignal.fire());
}

/** @param {File[]} files */
function take(files) {
  for (const file of files) {
    const row = new Row(template, file);
    section.hidden = false;
    section.querySelector("ul").append(row.element);
    const task = new UploadTask(page, row, firstSubmission || newSubmission());
    firstSubmission = "";
    tasks.push(task);
    task.resume();
  }
}

enhance();
listen();
unfinished.refresh();
