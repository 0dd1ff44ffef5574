/** The upload of one file: check, send, pause, retry, finish. */
import { formatProgress } from "../format.js";
import { t } from "../i18n.js";
import { findProblem, HEAD_BYTES, titleOf } from "./check.js";
import { findSame, findSameAs } from "./duplicates.js";
import { UploadRejected } from "./errors.js";
import { fingerprintOf } from "./fingerprint.js";
import { drawPreview } from "./preview.js";
import { describeState } from "./processing.js";
import { SpeedMeter } from "./speed.js";
import { transfer } from "./transfer.js";

/** Milliseconds between updates of the text: faster changes cannot be read. */
const SHOW_EVERY_MS = 250;

export class UploadTask {
  #page;
  #row;
  #key;
  #upload = { url: null };
  #fingerprint = null;
  #stop = null;
  #video = null;
  #settled = Promise.resolve();
  #keeping = Promise.resolve(false);
  #isKept = false;
  #isOver = false;
  #foundUrl = null;
  #end = () => {};

  /**
   * @param {import("./uploader.js").Shared} page what all files of the page share
   * @param {import("./row.js").Row} row
   * @param {object} from
   * @param {string} from.key the submission: sent again with a retry, so that it cannot create a second video
   * @param {string | null} [from.url] of an upload that was begun on an earlier page
   * @param {object} [from.changes] that its editor has not told the server
   */
  constructor(page, row, { key, url = null, changes = {} }) {
    this.#page = page;
    this.#row = row;
    this.#key = key;
    this.#upload.url = url;
    if (url) page.uploadsApi.take(url);
    row.details.change(changes);
    row.editor.fill({ title: titleOf(row.file.name) });
    row.editor.refill(changes);
    row.on("pause", () => this.pause());
    row.on("resume", () => this.resume());
    row.on("retry", () => this.resume());
    row.on("cancel", () => this.cancel());
    row.onLeave(() => this.#over());
    drawPreview(row.file).then((picture) => row.show(picture));
  }

  /** Whether leaving the page would interrupt the upload. */
  get active() {
    return this.#stop !== null;
  }

  /** Whether leaving the page would end it: its file could not be kept for the next page. */
  get isFragile() {
    return this.active && !this.#isKept;
  }

  /** @returns {{reached: number, size: number}} bytes */
  get progress() {
    return { reached: this.#row.reached, size: this.#row.file.size };
  }

  /**
   * Begin, and hold the upload for this page until it is over.
   * @param {{paused?: boolean, isKept?: boolean}} [as]
   * @returns {Promise<void>} settles when it is over: finished, discarded or dismissed
   */
  begin({ paused = false, isKept = false } = {}) {
    this.#isKept = isKept;
    if (isKept) this.#keeping = Promise.resolve(true);
    else this.#keep();
    if (paused) this.#row.paused();
    else this.resume();
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Start or resume, without waiting any longer for the network or for a sign-in. */
  resume() {
    if (this.active) {
      this.#page.retrySignal.fire();
      return;
    }
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#row.waiting();
    if (this.#isOver) this.#keep(); // tried again after it was cancelled
    this.#isOver = false;
    this.#page.store.change(this.#key, { paused: false });
    this.#settled = this.#settled.then(() => this.#run(signal));
    this.#page.changed();
  }

  /** Pause, on the next pages too. */
  pause() {
    this.#halt();
    this.#row.paused();
    this.#page.store.change(this.#key, { paused: true });
    this.#say(t("Paused."));
  }

  /** Cancel, and discard the upload on the server. */
  cancel() {
    this.#halt();
    this.#row.failed(t("Cancelled."), { retry: true });
    this.#say(t("Cancelled."));
    this.#settled = this.#settled.then(() => this.#discard());
  }

  #halt() {
    this.#stop?.abort();
    this.#stop = null;
    this.#page.changed();
  }

  /** Keep the file for the next page. */
  #keep() {
    const record = {
      ...this.#page.owner,
      key: this.#key,
      url: this.#upload.url,
      paused: false,
      changes: this.#row.details.waiting,
    };
    this.#keeping = this.#page.store.add(record, this.#row.file).then((isKept) => {
      this.#isKept = isKept;
      this.#page.changed();
      return isKept;
    });
  }

  /** Nothing is left to go on with. */
  async #over() {
    this.#halt();
    this.#isOver = true;
    if (await this.#keeping) await this.#page.store.remove(this.#key);
    this.#isKept = false;
    this.#end();
  }

  async #run(signal) {
    try {
      await this.#examine();
      this.#compare();
      const video = await this.#page.queue.add(() => this.#send(signal));
      this.#stop = null;
      this.#finish(video);
    } catch (error) {
      if (signal.aborted) return;
      this.#stop = null;
      this.#fail(error);
    }
    this.#page.changed();
  }

  #finish(video) {
    this.#video = video;
    this.#row.uploaded(video);
    if (video) {
      this.#row.details.finished();
      this.#row.editor.save();
      this.#page.processing.add(video, this.#processed());
      findSameAs(idIn(video)).then((same) => this.#tellOf(same));
    } else {
      this.#say(t("Uploaded."));
    }
    this.#over();
  }

  /** Say so at once if a small file is a video already. It is sent meanwhile. */
  async #compare() {
    if (this.#upload.url) return;
    this.#tellOf(await findSame(this.#row.file));
  }

  #tellOf(videos) {
    const same = videos.find(({ page }) => page !== this.#video && !this.#upload.url?.endsWith(idIn(page)));
    if (!same) return;
    this.#row.duplicate(same, () => this.#discardDuplicate());
    this.#say(t("You already have this video: {title}.", { title: same.title }));
  }

  async #discardDuplicate() {
    if (this.#video) {
      const answer = await fetch(`/api/videos/${idIn(this.#video)}`, { method: "DELETE" }).catch(() => null);
      if (!answer?.ok && answer?.status !== 404) {
        const sentence = t("It could not be discarded. Delete it on its own page.");
        this.#row.processed({ sentence, tone: "bad", percent: null });
        this.#say(sentence);
        return;
      }
    } else {
      this.#halt();
      await this.#discard();
    }
    this.#row.leave();
  }

  /** Show and announce what the server reports about the video. */
  #processed() {
    let before = "";
    return (state) => {
      const described = describeState(state);
      if (state.poster) this.#row.poster(state.poster);
      this.#row.processed(described);
      if (state.state === "refused") this.#row.refused();
      // The checksum of a file that came in pieces is computed later.
      if (state.state === "done") findSameAs(idIn(this.#video)).then((same) => this.#tellOf(same));
      const news = described.percent === null ? described.sentence : state.state;
      if (news !== before) this.#say(described.sentence);
      before = news;
    };
  }

  #fail(error) {
    if (!(error instanceof UploadRejected)) {
      this.#row.failed(t("Something went wrong on this page. Try again."), { retry: true });
      throw error;
    }
    // If the server still has a part of it, the next attempt finds it by its fingerprint.
    this.#leave();
    this.#row.failed(error.message, { retry: !error.final });
    if (error.final) this.#over();
    this.#say(error.message);
  }

  /** @throws {UploadRejected} if the file should not be sent */
  async #examine() {
    if (this.#fingerprint) return;
    const { file } = this.#row;
    let head;
    try {
      head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
      this.#fingerprint = await fingerprintOf(file);
    } catch {
      throw new UploadRejected(t("This file cannot be read. Choose it again."));
    }
    const problem = findProblem(file, head, this.#page.limits);
    if (problem) throw new UploadRejected(problem, { final: true });
  }

  async #send(signal) {
    const { file } = this.#row;
    const { endpoint, uploadsApi, retrySignal } = this.#page;
    const speedMeter = new SpeedMeter();
    let shownAt = Number.NEGATIVE_INFINITY;
    let resuming = true;
    let announced = false;
    return transfer({
      endpoint,
      uploadsApi,
      retrySignal,
      file,
      signal,
      fingerprint: this.#fingerprint,
      upload: this.#upload,
      metadata: this.#metadata(),
      onFound: (url) => this.#found(url),
      onProgress: (bytes) => {
        if (signal.aborted) return;
        if (resuming && bytes > 0) {
          this.#say(t("Resuming from {bytes}.", { bytes: formatProgress(bytes, file.size) }));
        }
        resuming = false;
        announced = false;
        const now = performance.now();
        speedMeter.note(now, bytes);
        if (bytes >= file.size) {
          this.#row.checking();
        } else if (now - shownAt >= SHOW_EVERY_MS) {
          shownAt = now;
          this.#row.sending(bytes, speedMeter);
        }
        this.#page.changed();
        const percent = Math.floor((100 * bytes) / file.size);
        this.#page.announcer.progress(t("{name}: {percent} %.", { name: file.name, percent }));
      },
      onWait: (interruption, seconds) => {
        if (interruption.signedOut) this.#row.signedOut();
        else this.#row.interrupted(interruption.message, seconds);
        if (!announced) this.#say(interruption.message);
        announced = true;
        resuming = true;
        shownAt = Number.NEGATIVE_INFINITY;
      },
    });
  }

  /** The upload is on the server, so the address of its video is known. */
  async #found(url) {
    const { details, editor } = this.#row;
    const isNews = this.#foundUrl !== url;
    this.#foundUrl = url;
    if (!isNews) return;
    editor.link(new URL(`/stream/${idIn(url)}`, location.href).href);
    this.#page.store.change(this.#key, { url });
    const known = await details.found(idIn(url));
    if (known) {
      editor.fill(known);
      editor.refill(details.waiting);
    }
    editor.save();
  }

  #metadata() {
    const { name } = this.#row.file;
    return {
      // The server limits the length of names.
      filename: [...name].slice(0, 255).join(""),
      title: titleOf(name),
      submission: this.#key,
      fingerprint: this.#fingerprint,
    };
  }

  async #discard() {
    const { url } = this.#upload;
    try {
      if (url) await this.#page.uploadsApi.discard(url);
    } catch {
      // It stays in the list of unfinished uploads, and can be discarded there.
    }
    this.#leave();
    await this.#over();
  }

  #leave() {
    this.#page.uploadsApi.release(this.#upload.url, this.#key);
    this.#upload.url = null;
    this.#page.store.change(this.#key, { url: null });
  }

  #say(sentence) {
    this.#page.announcer.say(t("{name}: {news}", { name: this.#row.file.name, news: sentence }));
  }
}

/** @param {string} address of an upload or a video; both end with the id */
const idIn = (address) => address.split("/").at(-1);
