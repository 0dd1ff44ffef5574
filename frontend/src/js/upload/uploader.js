/** The uploads of a page: those that are begun on it, and those of earlier pages that it goes on with. */
import { tn } from "../i18n.js";
import { Announcer } from "./announcer.js";
import { isOfThisTab, onlyHere, tabName } from "./only-here.js";
import { ProcessingWatch } from "./processing.js";
import { Queue } from "./queue.js";
import { RetrySignal } from "./retry-signal.js";
import { Row } from "./row.js";
import { FileStore } from "./store.js";
import { newSubmission } from "./submission.js";
import { percentOf, TabTitle } from "./tab-title.js";
import { UploadTask } from "./upload-task.js";
import { UploadsApi } from "./uploads-api.js";

/** Two, so that a small file does not wait for a large one. */
const AT_ONCE = 2;

/** Up to how many files have their editors open; with more they would be one long form. */
const UNFOLDED = matchMedia("(width < 48rem)").matches ? 1 : 3;

/**
 * @typedef {object} Shared
 * @property {string} endpoint
 * @property {{account: string, tab: string}} owner of what is kept
 * @property {{maxSize: number, matroska: boolean}} limits
 * @property {Queue} queue
 * @property {UploadsApi} uploadsApi
 * @property {RetrySignal} retrySignal
 * @property {ProcessingWatch} processing
 * @property {Announcer} announcer
 * @property {FileStore} store
 * @property {() => void} changed called when a task has moved, begun or ended
 */

export class Uploader {
  #tasks = [];
  #rows = [];
  #place;
  #template;
  #title = new TabTitle();
  #firstSubmission = "";
  /** @type {Shared} */
  shared;

  /**
   * @param {object} parts
   * @param {HTMLFormElement} parts.form of the upload page, which says what the server takes
   * @param {HTMLTemplateElement} parts.template of a row
   * @param {{list: HTMLElement, note: HTMLElement, announcer: HTMLElement, show: () => void,
   *   changed: (percent: number | null) => void}} parts.place where the rows go
   * @param {() => void} [parts.onUnfinished] called when the account's unfinished uploads may have changed
   * @param {string} [parts.submission] of the form, for the first file
   */
  constructor({ form, template, place, onUnfinished = () => {}, submission = "" }) {
    this.#place = place;
    this.#template = template;
    this.#firstSubmission = submission;
    this.shared = {
      endpoint: new URL("/upload/files", location.href).href,
      owner: { account: form.dataset.account, tab: tabName() },
      limits: { maxSize: Number(form.dataset.maxSize), matroska: "matroska" in form.dataset },
      queue: new Queue(AT_ONCE),
      uploadsApi: new UploadsApi(onUnfinished),
      retrySignal: new RetrySignal(),
      processing: new ProcessingWatch(),
      announcer: new Announcer(place.announcer),
      store: new FileStore(),
      changed: () => this.#changed(),
    };
    this.#listen();
  }

  #listen() {
    window.addEventListener("beforeunload", (event) => {
      if (this.#tasks.some((task) => task.isFragile)) event.preventDefault();
    });
    window.addEventListener("pagehide", () => {
      for (const row of this.#rows) row.editor.save();
    });
    // The network is back, or the user returns, perhaps after signing in.
    for (const news of ["online", "focus"]) {
      window.addEventListener(news, () => this.shared.retrySignal.fire());
    }
  }

  /**
   * Upload files.
   * @param {File[]} files
   * @param {{left?: number}} [besides] left: files of their folders that are no videos
   */
  take(files, { left = 0 } = {}) {
    this.#place.note.hidden = left === 0;
    if (left > 0) {
      this.#place.show();
      this.#place.note.textContent = tn(
        "{n} file that is no video was left out.",
        "{n} files that are no videos were left out.",
        left,
      );
      this.shared.announcer.say(this.#place.note.textContent);
    }
    for (const file of files) {
      const key = this.#firstSubmission || newSubmission();
      this.#firstSubmission = "";
      const task = this.#add(file, { key }, files.length <= UNFOLDED);
      onlyHere(key, () => task.begin());
    }
  }

  /** Go on with what earlier pages of this browser did not finish, once their tabs are closed. */
  async restore() {
    const { store, owner, uploadsApi } = this.shared;
    const kept = await store.list();
    for (const record of kept) {
      if (record.account !== owner.account) {
        store.remove(record.key); // somebody else is signed in now
      } else if (isOfThisTab(record)) {
        if (record.url && record.tab === owner.tab) uploadsApi.take(record.url);
        onlyHere(record.key, () => this.#goOn(record.key, kept.length <= UNFOLDED));
      }
    }
  }

  async #goOn(key, unfold) {
    const found = await this.shared.store.get(key);
    if (!found) return; // another page has finished it
    const { record, file } = found;
    await this.shared.store.change(key, { tab: this.shared.owner.tab });
    await this.#add(file, record, unfold).begin({ paused: record.paused, isKept: true });
  }

  #add(file, from, unfold) {
    const { store } = this.shared;
    const row = new Row(this.#template, file, (changes) => store.change(from.key, { changes }));
    row.unfold(unfold);
    this.#rows.push(row);
    this.#place.show();
    this.#place.list.append(row.element);
    const task = new UploadTask(this.shared, row, from);
    this.#tasks.push(task);
    return task;
  }

  #changed() {
    const active = this.#tasks.filter((task) => task.active);
    const percent = percentOf(active.map((task) => task.progress));
    this.#title.show(percent);
    this.#place.changed(percent);
  }
}
