/** One file on its way: from being looked at to the video, with every stop in between. */
import { formatProgress } from "../format.js";
import { Refused } from "./answers.js";
import { findProblem, HEAD_BYTES, titleOf } from "./check.js";
import { fingerprintOf } from "./fingerprint.js";
import { Pace } from "./pace.js";
import { transfer } from "./transfer.js";

/** Numbers that change faster than this cannot be read. */
const SHOW_EVERY_MS = 250;

export class Sending {
  #page;
  #row;
  #submission;
  #place = { url: null };
  #fingerprint = null;
  #stop = null;
  #settled = Promise.resolve();

  /**
   * @param {object} page what all files of the page share: endpoint, limits, queue, account, nudge,
   *   and announcer
   * @param {import("./row.js").Row} row
   * @param {string} submission sent again with a retry, so that it cannot make a second video
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

  /** Whether leaving the page would stop something. */
  get active() {
    return this.#stop !== null;
  }

  /** Start, or go on; without waiting any longer, if it waits for the network or for a sign-in. */
  resume() {
    if (this.active) {
      this.#page.nudge.now();
      return;
    }
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#row.waiting();
    this.#settled = this.#settled.then(() => this.#run(signal));
  }

  /** Stop for a while. */
  pause() {
    this.#end();
    this.#row.paused();
    this.#say("Paused.");
  }

  /** Stop, and throw away what has arrived. */
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
      this.#row.done(video);
      this.#say("Done.");
    } catch (error) {
      if (signal.aborted) return;
      this.#stop = null;
      this.#fail(error);
    }
  }

  #fail(error) {
    if (!(error instanceof Refused)) {
      this.#row.failed("Something went wrong on this page. Try again.", { retry: true });
      throw error;
    }
    // If the server still has something of it, the next attempt finds it by its content.
    this.#leave();
    this.#row.failed(error.message, { retry: !error.final });
    this.#say(error.message);
  }

  /** @throws {Refused} if the file should not be sent */
  async #examine() {
    if (this.#fingerprint) return;
    const { file } = this.#row;
    let head;
    try {
      head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
      this.#fingerprint = await fingerprintOf(file);
    } catch {
      throw new Refused("This cannot be read. If it is a folder, drop the files in it.");
    }
    const problem = findProblem(file, head, this.#page.limits);
    if (problem) throw new Refused(problem, { final: true });
  }

  async #send(signal) {
    const { file } = this.#row;
    const { endpoint, account, nudge } = this.#page;
    const pace = new Pace();
    let shownAt = Number.NEGATIVE_INFINITY;
    let standing = true;
    let spoken = false;
    return transfer({
      endpoint,
      account,
      nudge,
      file,
      signal,
      fingerprint: this.#fingerprint,
      place: this.#place,
      metadata: this.#metadata(),
      onProgress: (bytes) => {
        if (signal.aborted) return;
        if (standing && bytes > 0) this.#say(`Going on from ${formatProgress(bytes, file.size)}.`);
        standing = false;
        spoken = false;
        const now = performance.now();
        pace.note(now, bytes);
        if (bytes >= file.size) {
          this.#row.checking();
        } else if (now - shownAt >= SHOW_EVERY_MS) {
          shownAt = now;
          this.#row.sending(bytes, pace);
        }
        const share = Math.floor((100 * bytes) / file.size);
        this.#page.announcer.progress(`${file.name}: ${share} %.`);
      },
      onWait: (setback, seconds) => {
        if (setback.signedOut) this.#row.signedOut();
        else this.#row.interrupted(setback.message, seconds);
        if (!spoken) this.#say(setback.message);
        spoken = true;
        standing = true;
        shownAt = Number.NEGATIVE_INFINITY;
      },
    });
  }

  #metadata() {
    const { name } = this.#row.file;
    return {
      // Names may hold what no header can, and be longer than one may be.
      filename: [...name].slice(0, 255).join(""),
      title: titleOf(name),
      submission: this.#submission,
      fingerprint: this.#fingerprint,
    };
  }

  async #discard() {
    const { url } = this.#place;
    try {
      if (url) await this.#page.account.discard(url);
    } catch {
      // It stays on the list of unfinished uploads, where it can be thrown away later.
    }
    this.#leave();
  }

  #leave() {
    this.#page.account.release(this.#place.url);
    this.#place.url = null;
  }

  #say(sentence) {
    this.#page.announcer.say(`${this.#row.file.name}: ${sentence}`);
  }
}
