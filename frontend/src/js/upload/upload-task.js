/** The upload of one file: check, send, pause, retry, finish. */
import { formatProgress } from "../format.js";
import { findProblem, HEAD_BYTES, titleOf } from "./check.js";
import { UploadRejected } from "./errors.js";
import { fingerprintOf } from "./fingerprint.js";
import { describeState } from "./processing.js";
import { SpeedMeter } from "./speed.js";
import { transfer } from "./transfer.js";

/** Milliseconds between updates of the text: faster changes cannot be read. */
const SHOW_EVERY_MS = 250;

export class UploadTask {
  #page;
  #row;
  #submission;
  #upload = { url: null };
  #fingerprint = null;
  #stop = null;
  #settled = Promise.resolve();

  /**
   * @param {object} page what all files of the page share: endpoint, limits, queue, account, retrySignal,
   *   and announcer
   * @param {import("./row.js").Row} row
   * @param {string} submission sent again with a retry, so that it cannot create a second video
   */
  constructor(page, row, submission) {
    this.#page = page;
    this.#row = row;
    this.#submission = submission;
    row.on("pause", () => this.pause());
    row.on("resume", () => this.resume());
    row.on("retry", () => this.resume());
    row.on("cancel", () => this.cancel());
  }

  /** Whether leaving the page would interrupt the upload. */
  get active() {
    return this.#stop !== null;
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
    this.#settled = this.#settled.then(() => this.#run(signal));
  }

  /** Pause. */
  pause() {
    this.#end();
    this.#row.paused();
    this.#say("Paused.");
  }

  /** Cancel, and discard the upload on the server. */
  cancel() {
    this.#end();
    this.#row.failed("Cancelled.", { retry: true });
    this.#say("Cancelled.");
    this.#settled = this.#settled.then(() => this.#discard());
  }

  #end() {
    this.#stop?.abort();
    this.#stop = null;
  }

  async #run(signal) {
    try {
      await this.#examine();
      const video = await this.#page.queue.add(() => this.#send(signal));
      this.#stop = null;
      this.#row.uploaded(video);
      if (video) this.#page.processing.add(video, this.#processed());
      else this.#say("Uploaded.");
    } catch (error) {
      if (signal.aborted) return;
      this.#stop = null;
      this.#fail(error);
    }
  }

  /** Show and announce what the server reports about the video. */
  #processed() {
    let before = "";
    return (state) => {
      const { sentence, tone } = describeState(state);
      if (sentence === before) return;
      before = sentence;
      this.#row.processed(sentence, tone);
      this.#say(sentence);
    };
  }

  #fail(error) {
    if (!(error instanceof UploadRejected)) {
      this.#row.failed("Something went wrong on this page. Try again.", { retry: true });
      throw error;
    }
    // If the server still has a part of it, the next attempt finds it by its fingerprint.
    this.#leave();
    this.#row.failed(error.message, { retry: !error.final });
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
      throw new UploadRejected("This cannot be read. If it is a folder, drop the files in it.");
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
      onProgress: (bytes) => {
        if (signal.aborted) return;
        if (resuming && bytes > 0) this.#say(`Resuming from ${formatProgress(bytes, file.size)}.`);
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
        const share = Math.floor((100 * bytes) / file.size);
        this.#page.announcer.progress(`${file.name}: ${share} %.`);
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

  #metadata() {
    const { name } = this.#row.file;
    return {
      // The server limits the length of names.
      filename: [...name].slice(0, 255).join(""),
      title: titleOf(name),
      submission: this.#submission,
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
  }

  #leave() {
    this.#page.uploadsApi.release(this.#upload.url);
    this.#upload.url = null;
  }

  #say(sentence) {
    this.#page.announcer.say(`${this.#row.file.name}: ${sentence}`);
  }
}
