/**
 * What somebody says of a video while it is uploaded: kept with the upload until the video is there, and changed
 * on the video from then on. The video has the upload's id.
 */
import { t } from "../i18n.js";

/**
 * @typedef {{name: string, user?: string, group?: string, anyone?: string}} Person whom it is shared with
 * @typedef {object} Changes
 * @property {string} [title]
 * @property {string} [description]
 * @property {"private" | "members" | "public"} [visibility]
 * @property {Person[]} [people]
 * @property {string[]} [collections] their ids
 * @typedef {{method: string, address: string, body?: object}} Step a request
 */

/** @returns {Step} that tells the server what an unfinished upload becomes */
export function stepForUpload(id, { people, ...changes }) {
  const grants = people?.map(({ user, group, anyone }) => ({
    ...subject({ user, group, anyone }),
    level: "watch",
  }));
  return {
    method: "PATCH",
    address: `/api/uploads/${id}`,
    body: { ...changes, ...(grants && { grants }) },
  };
}

/**
 * @param {string} id
 * @param {Changes} changes
 * @param {{people: Person[], collections: string[]}} before what the server knows
 * @param {{kind: string, name: string, grant: string | null, via: object | null}[]} access of the video, for
 *   grants that are to be removed
 * @returns {Step[]} that change a video
 */
export function stepsForVideo(id, { people, collections, ...texts }, before, access = []) {
  const steps = [];
  if (Object.keys(texts).length > 0) {
    steps.push({ method: "PATCH", address: `/api/videos/${id}`, body: texts });
  }
  if (people) {
    for (const person of without(before.people, people)) {
      const kind = person.group ? "group" : "user";
      const entry = access.find(
        (one) => one.grant && !one.via && one.kind === kind && one.name === person.name,
      );
      if (entry) steps.push({ method: "DELETE", address: `/api/grants/${entry.grant}` });
    }
    for (const person of without(people, before.people)) {
      const body = { ...subject(person), level: "watch" };
      steps.push({ method: "POST", address: `/api/videos/${id}/grants`, body });
    }
  }
  if (collections) {
    const address = (collection) => `/api/collections/${collection}/items/${id}`;
    for (const one of before.collections) {
      if (!collections.includes(one)) steps.push({ method: "DELETE", address: address(one) });
    }
    for (const one of collections) {
      if (!before.collections.includes(one)) steps.push({ method: "PUT", address: address(one) });
    }
  }
  return steps;
}

const subject = ({ user, group, anyone }) => (group ? { group } : user ? { user } : { anyone });

const without = (people, others) =>
  people.filter((one) => !others.some((other) => other.name === one.name && other.group === one.group));

/** A change that the server refused. */
export class ChangeRefused extends Error {}

export class Details {
  #id = null;
  #isVideo = false;
  #waiting = {};
  #saving = null;
  #known = { people: [], collections: [] };
  #ask;

  /**
   * @param {(step: Step) => Promise<{status: number, body: object}>} [ask]
   */
  constructor(ask = send) {
    this.#ask = ask;
  }

  /** What the server has not been told yet. @returns {Changes} */
  get waiting() {
    return this.#waiting;
  }

  /**
   * The upload is on the server. Nothing is told before what the server knows is read, or a change that is made
   * meanwhile would be taken for an older one.
   * @param {string} id
   * @returns {Promise<object | null>} what the server was told by an earlier page
   */
  async found(id) {
    try {
      const { status, body } = await this.#ask({ method: "GET", address: `/api/uploads/${id}` });
      if (status !== 200 || body.is_video) return null;
      this.#learn(body);
      return body;
    } catch {
      return null; // no connection: the next change tells all
    } finally {
      this.#id = id;
    }
  }

  /** The upload is a video now. */
  finished() {
    this.#isVideo = true;
  }

  /** Change something. It is told once the upload is on the server. @param {Changes} changes */
  change(changes) {
    this.#waiting = { ...this.#waiting, ...changes };
  }

  /**
   * Tell the server what has been changed.
   * @returns {Promise<boolean>} whether it knows everything
   * @throws {ChangeRefused} it refused; the change is given up
   */
  async save() {
    if (this.#saving) await this.#saving.catch(() => {});
    if (!this.#id || Object.keys(this.#waiting).length === 0) return false;
    this.#saving = this.#save();
    try {
      await this.#saving;
    } finally {
      this.#saving = null;
    }
    return Object.keys(this.#waiting).length === 0;
  }

  async #save() {
    const changes = this.#waiting;
    this.#waiting = {};
    try {
      if (!this.#isVideo) {
        const { status, body } = await this.#ask(stepForUpload(this.#id, changes));
        if (status !== 409) {
          require(status, body);
          this.#learn(body);
          return;
        }
        this.#isVideo = true; // its last byte has just arrived
      }
      await this.#saveVideo(changes);
    } catch (error) {
      // Not refused, but not told either: the next change takes it along.
      if (!(error instanceof ChangeRefused)) this.#waiting = { ...changes, ...this.#waiting };
      throw error;
    }
  }

  async #saveVideo(changes) {
    const isRemoving = changes.people && without(this.#known.people, changes.people).length > 0;
    const access = isRemoving
      ? (await this.#ask({ method: "GET", address: `/api/videos/${this.#id}/access` })).body.people
      : [];
    for (const step of stepsForVideo(this.#id, changes, this.#known, access)) {
      const { status, body } = await this.#ask(step);
      if (status !== 409) require(status, body); // 409: it is so already
    }
    const { people = this.#known.people, collections = this.#known.collections } = changes;
    this.#known = { people, collections };
  }

  #learn({ grants = [], collections = [] }) {
    this.#known = { people: grants.map(({ user, group, name }) => ({ user, group, name })), collections };
  }

  /** Whom the server knows it is shared with. @returns {Person[]} */
  get people() {
    return this.#known.people;
  }
}

function require(status, body) {
  if (status >= 400) throw new ChangeRefused(body?.error ?? t("This could not be saved. Try again."));
}

async function send({ method, address, body }) {
  const answer = await fetch(address, {
    method,
    keepalive: method !== "GET", // the page may be left in this moment
    headers: { Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}
