/** One go at sending a file's bytes, with tus (https://tus.io) 1.0. */
import { Upload } from "tus-js-client";
import { explain, Setback, sentenceIn } from "./answers.js";

const LOOK_EVERY_MS = 1000;

/** Without a sign of life for this long the connection is dead, whatever the browser believes. */
const SILENCE_MS = 60_000;

/** Once everything is on its way, the last bytes may still have to leave a slow line. */
const LAST_SILENCE_MS = 15 * 60_000;

/**
 * Begin an upload, or go on with one, until it is complete or something gets in the way.
 *
 * @param {object} options
 * @param {string} options.endpoint where uploads are begun
 * @param {string | null} options.url of the upload to go on with
 * @param {File} options.file
 * @param {Record<string, string>} options.metadata
 * @param {AbortSignal} options.signal
 * @param {(url: string) => void} options.onUrl called when an upload has been begun
 * @param {(bytes: number) => void} options.onKept bytes that the server says it has
 * @param {(bytes: number) => void} options.onProgress bytes sent, some of which may still be on their way
 * @returns {Promise<string | null>} the video's URL, unless the server does not know it any more
 * @throws {import("./answers.js").Refused | Setback | Error} or the signal's reason
 */
export function attempt({ endpoint, url, file, metadata, signal, onUrl, onKept, onProgress }) {
  return new Promise((resolve, reject) => {
    let lastSign = performance.now();
    let sent = 0;
    const end = (settle, value) => {
      clearInterval(watchdog);
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    const upload = new Upload(file, {
      // With an endpoint, tus-js-client would begin anew when the session has ended.
      ...(url ? { uploadUrl: url } : { endpoint }),
      metadata,
      // Trying again and finding an earlier upload is ours: see transfer.js and account.js.
      retryDelays: null,
      storeFingerprintForResuming: false,
      removeFingerprintOnSuccess: true,
      fingerprint: async () => null,
      headers: { Accept: "application/json" },
      onUploadUrlAvailable: () => {
        if (!url) onUrl(new URL(upload.url, location.href).pathname);
        if (signal.aborted) stop();
      },
      onAfterResponse: (_request, response) => {
        lastSign = performance.now();
        const kept = Number.parseInt(response.getHeader("Upload-Offset"), 10);
        if (!Number.isNaN(kept)) onKept(kept);
      },
      onProgress: (bytes) => {
        lastSign = performance.now();
        sent = bytes;
        onProgress(bytes);
      },
      onSuccess: ({ lastResponse }) => end(resolve, videoIn(lastResponse)),
      onError: (error) =>
        end(reject, signal.aborted ? signal.reason : understand(error, Boolean(upload.url))),
    });
    const stop = () => {
      // An upload that is just being begun is waited for: it could not be thrown away otherwise.
      if (!upload.url) return;
      upload.abort();
      end(reject, signal.reason);
    };
    const watchdog = setInterval(() => {
      const patience = sent < file.size ? SILENCE_MS : LAST_SILENCE_MS;
      if (performance.now() - lastSign < patience) return;
      upload.abort();
      end(reject, new Setback("Connection lost."));
    }, LOOK_EVERY_MS);
    signal.addEventListener("abort", stop);
    upload.start();
  });
}

/** @returns {string | null} a path of ours, whatever the header says */
function videoIn(response) {
  const url = response?.getHeader("Upload-Video");
  return url?.startsWith("/stream/") ? url : null;
}

function understand(error, begun) {
  // Without a request it is no answer of the server's, but a mistake on this page.
  if (!error.originalRequest) return error;
  const response = error.originalResponse;
  if (!response) return explain(0);
  return explain(response.getStatus(), {
    sentence: sentenceIn(response.getBody()),
    retryAfter: Number(response.getHeader("Retry-After")) || 0,
    begun,
  });
}
