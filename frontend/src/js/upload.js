/**
 * The upload page: many files instead of one form, each of which can stop and go on. Without this
 * script the form sends one file.
 */
import { Account } from "./upload/account.js";
import { Announcer } from "./upload/announcer.js";
import { acceptDrops } from "./upload/drop.js";
import { Nudge } from "./upload/nudge.js";
import { Queue } from "./upload/queue.js";
import { Row } from "./upload/row.js";
import { Sending } from "./upload/sending.js";
import { newSubmission } from "./upload/submission.js";
import { UnfinishedList } from "./upload/unfinished.js";

/** Two, so that a short film does not wait for a long one. */
const AT_ONCE = 2;

const form = document.getElementById("upload");
const input = form.elements.file;
const section = document.getElementById("transfers");
const template = document.getElementById("transfer");
const sendings = [];
let firstSubmission = form.elements.submission.value;

const page = {
  endpoint: new URL("/upload/files", location.href).href,
  limits: { maxSize: Number(form.dataset.maxSize), matroska: "matroska" in form.dataset },
  queue: new Queue(AT_ONCE),
  account: new Account(() => unfinished.refresh()),
  nudge: new Nudge(),
  announcer: new Announcer(document.getElementById("announcer")),
};
const unfinished = new UnfinishedList({
  section: document.getElementById("unfinished"),
  template: document.getElementById("unfinished-upload"),
  account: page.account,
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
  acceptDrops(form.querySelector(".drop"), take);
}

function listen() {
  window.addEventListener("beforeunload", (event) => {
    if (sendings.some((sending) => sending.active)) event.preventDefault();
  });
  // The network is back, or somebody comes back, perhaps from signing in.
  for (const news of ["online", "focus"]) window.addEventListener(news, () => page.nudge.now());
}

/** @param {File[]} files */
function take(files) {
  for (const file of files) {
    const row = new Row(template, file);
    section.hidden = false;
    section.querySelector("ul").append(row.element);
    const sending = new Sending(page, row, firstSubmission || newSubmission());
    firstSubmission = "";
    sendings.push(sending);
    sending.resume();
  }
}

enhance();
listen();
unfinished.refresh();
