/** One attempt to send a file, with tus (https://tus.io) 1.0. */
import { Upload } from "tus-js-client";
import { t } from "../i18n.js";
import { explain, sentenceIn, UploadInterrupted } from "./errors.js";

const CHECK_EVERY_MS = 1000;

/** A connection without progress for this long is given up, whatever the browser reports. */
const STALL_TIMEOUT_MS = 60_000;

/** Longer once everything is handed to the browser: the last bytes may still be in its buffer. */
const LAST_STALL_TIMEOUT_MS = 15 * 60_000;

/**
 * Create or resume an upload, until it is complete or fails.
 *
 * @param {object} options
 * @param {string} options.endpoint URL that creates uploads
 * @param {string | null} options.url of the upload to resume
 * @param {File} options.file
 * @param {Record<string, string>} options.metadata
 * @param {AbortSignal} options.signal
 * @param {(url: string) => void} options.onUrl called when the upload is created
 * @param {(bytes: number) => void} options.onKept bytes that the server says it has
 * @param {(bytes: number) => void} options.onProgress bytes sent, some of which may still be on their way
 * @returns {Promise<string | null>} the video's URL, null if the server no longer knows it
 * @throws {import("./errors.js").UploadRejected | UploadInterrupted | Error} or the signal's reason
 */
export function attempt({ endpoint, url, file, metadata, signal, onUrl, onKept, onProgress }) {
  return new Promise((resolve, reject) => {
    let lastProgress = performance.now();
    let sent = 0;
    const end = (settle, value) => {
      clearInterval(watchdog);
      signal.removeEventListener("abort", stop);
      settle(value);
    };
    const upload = new Upload(file, {
      // With an endpoint, tus-js-client would create a new upload when the session has ended.
      ...(url ? { uploadUrl: url } : { endpoint }),
      metadata,
      // Retries and finding an earlier upload are in transfer.js and uploads-api.js.
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
        lastProgress = performance.now();
        const kept = Number.parseInt(response.getHeader("Upload-Offset"), 10);
        if (!Number.isNaN(kept)) onKept(kept);
      },
      onProgress: (bytes) => {
        lastProgress = performance.now();
        sent = bytes;
        onProgress(bytes);
      },
      onSuccess: ({ lastResponse }) => end(resolve, videoIn(lastResponse)),
      onError: (error) =>
        end(reject, signal.aborted ? signal.reason : understand(error, Boolean(upload.url))),
    });
    const stop = () => {
      // Wait for an upload that is being created: it could not be discarded otherwise.
      if (!upload.url) return;
      upload.abort();
      end(reject, signal.reason);
    };
    const watchdog = setInterval(() => {
      const timeout = sent < file.size ? STALL_TIMEOUT_MS : LAST_STALL_TIMEOUT_MS;
      if (performance.now() - lastProgress < timeout) return;
      upload.abort();
      end(reject, new UploadInterrupted(t("Connection lost.")));
    }, CHECK_EVERY_MS);
    signal.addEventListener("abort", stop);
    upload.start();
  });
}

/** @returns {string | null} only a path on this site */
function videoIn(response) {
  const url = response?.getHeader("Upload-Video");
  return url?.startsWith("/stream/") ? url : null;
}

function understand(error, begun) {
  // Without a request it is a bug on this page, not an answer of the server.
  if (!error.originalRequest) return error;
  const response = error.originalResponse;
  if (!response) return explain(0);
  return explain(response.getStatus(), {
    sentence: sentenceIn(response.getBody()),
    retryAfter: Number(response.getHeader("Retry-After")) || 0,
    begun,
  });
}
