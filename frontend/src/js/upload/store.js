/**
 * Unfinished uploads of this browser, with their files, so that the next page goes on with them.
 *
 * Pages are full loads, and an upload dies with its page. IndexedDB takes a File by structured clone and gives
 * it back on the next page: in Chromium, Firefox and Safari, over plain HTTP too. A SharedWorker would not do:
 * it ends with the last page, which a link to another page closes before the next one is there. Browsers may
 * copy the file, so one that takes more than half of the space that is left stays with its page.
 */
import { DATABASE, setKept } from "./kept-flag.js";

const RECORDS = "records";
const FILES = "files";

/**
 * @typedef {object} Kept
 * @property {string} key the submission
 * @property {string} account whose it is
 * @property {string} tab in which the file was chosen
 * @property {string | null} url on the server
 * @property {string | null} fingerprint
 * @property {boolean} paused
 * @property {object} changes of the editor that the server has not been told
 */

export class FileStore {
  #opened = null;

  /**
   * Keep a file.
   * @param {Kept} record @param {File} file
   * @returns {Promise<boolean>} whether it is kept: there may be no space, or no database in this mode
   */
  async add(record, file) {
    try {
      if (!(await hasRoomFor(file.size))) return false;
      setKept(true);
      await this.#write((records, files) => {
        records.put(record);
        files.put(file, record.key);
      });
      return true;
    } catch {
      return false;
    }
  }

  /** Change what is kept of an upload; one that is not kept stays so. */
  async change(key, changes) {
    await this.#quietly((records) => {
      const found = records.get(key);
      found.onsuccess = () => found.result && records.put({ ...found.result, ...changes });
    });
  }

  /** Forget an upload. */
  async remove(key) {
    await this.#quietly((records, files) => {
      records.delete(key);
      files.delete(key);
      const count = records.count();
      count.onsuccess = () => count.result === 0 && setKept(false);
    });
  }

  /** @returns {Promise<Kept[]>} of all accounts */
  async list() {
    try {
      return await this.#read(RECORDS, (records) => records.getAll());
    } catch {
      return [];
    }
  }

  /** @returns {Promise<{record: Kept, file: File} | null>} null: it is finished, or not kept */
  async get(key) {
    try {
      const record = await this.#read(RECORDS, (records) => records.get(key));
      const file = record && (await this.#read(FILES, (files) => files.get(key)));
      return file ? { record, file } : null;
    } catch {
      return null;
    }
  }

  async #quietly(work) {
    try {
      await this.#write(work);
    } catch {
      // It is not kept, then.
    }
  }

  async #read(name, ask) {
    const database = await this.#open();
    return resultOf(ask(database.transaction(name).objectStore(name)));
  }

  async #write(work) {
    const database = await this.#open();
    const transaction = database.transaction([RECORDS, FILES], "readwrite");
    work(transaction.objectStore(RECORDS), transaction.objectStore(FILES));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }

  #open() {
    this.#opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(RECORDS, { keyPath: "key" });
        request.result.createObjectStore(FILES);
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        // Another page deletes it, when somebody signs out.
        database.onversionchange = () => {
          database.close();
          this.#opened = null;
        };
        resolve(database);
      };
    });
    return this.#opened;
  }
}

/** Only browsers with a secure connection say how much there is; the others refuse what does not fit. */
async function hasRoomFor(size) {
  const estimate = await navigator.storage?.estimate?.();
  return !estimate || size <= (estimate.quota - estimate.usage) / 2;
}

function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
