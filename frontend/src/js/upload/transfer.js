/**
 * How a file's bytes get to the server. The rest of the page knows only `transfer` and `Refused`,
 * so that another way of sending can take this one's place.
 */

/** Why a file did not become a video, in a sentence for people. */
export class Refused extends Error {
  /**
   * @param {string} sentence
   * @param {{signedOut?: boolean, final?: boolean}} [kind] final: trying again cannot help
   */
  constructor(sentence, { signedOut = false, final = false } = {}) {
    super(sentence);
    this.signedOut = signedOut;
    this.final = final;
  }
}

/**
 * Send one file.
 *
 * @param {object} options
 * @param {string} options.url
 * @param {File} options.file
 * @param {string} options.title
 * @param {string} options.submission
 * @param {AbortSignal} options.signal stops it; the promise then rejects with the signal's reason
 * @param {(bytes: number) => void} options.onProgress bytes of the file sent so far
 * @returns {Promise<{id: string, url: string, title: string}>} the video
 * @throws {Refused}
 */
export function transfer({ url, file, title, submission, signal, onProgress }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    // XMLHttpRequest, because fetch does not tell how much of a body has been sent.
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });

    request.upload.addEventListener("progress", (event) => {
      // The total includes the other fields; what is shown is the file alone.
      const share = event.lengthComputable && event.total > 0 ? event.loaded / event.total : 0;
      onProgress(Math.min(file.size, Math.round(share * file.size)));
    });
    request.addEventListener("load", () => {
      if (request.status === 201 && request.response) resolve(request.response);
      else reject(explain(request.status, request.response));
    });
    request.addEventListener("error", () => reject(new Refused("The connection was lost. Try again.")));
    request.addEventListener("abort", () => reject(signal.reason));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));

    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    const form = new FormData();
    form.append("submission", submission);
    form.append("title", title);
    form.append("file", file, file.name);
    request.send(form);
  });
}

/**
 * @param {number} status
 * @param {{error?: string} | null} answer
 * @returns {Refused}
 */
export function explain(status, answer) {
  if (status === 401) return new Refused("You are signed out.", { signedOut: true });
  const final = [400, 403, 413, 415, 422].includes(status);
  if (answer?.error) return new Refused(answer.error, { final });
  if (status === 413) return new Refused("The server does not take files this large.", { final });
  if (status === 507) return new Refused("The server has no room left.");
  return new Refused("The server could not take it. Try again.", { final: status === 403 });
}
