/** Resume where the viewer stopped, and save where they stop now. */

const EVERY_MS = 10_000;
const STEP_MS = 1000;

/** A saved position is used from this many seconds, or this share of a short video. */
const RESUME_FROM_S = 10;
const RESUME_FROM_SHARE = 0.05;

/**
 * The time that an address asks for: `#t=90`, `?t=90`, `#t=1:30`, `#t=1m30s`.
 * @param {{hash: string, search: string}} address the fragment goes before the query
 * @returns {number | null} seconds
 */
export function startInAddress({ hash, search }) {
  const text =
    new URLSearchParams(hash.replace(/^#/, "")).get("t") ?? new URLSearchParams(search).get("t") ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const clock = /^(?:(\d+):)?(\d{1,2}):(\d{2})$/.exec(text);
  const words = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  const [, hours, minutes, seconds] = clock ?? (text && words) ?? [];
  if (hours === undefined && minutes === undefined && seconds === undefined) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

/**
 * Where to begin, in seconds. A time in the address goes before the saved position.
 * @param {{hash: string, search: string}} address
 * @param {{position: number, length: number}} saved seconds; a position of 0 means none
 */
export function startOf(address, { position, length }) {
  const asked = startInAddress(address);
  if (asked !== null) return asked;
  const resumes = position >= Math.min(RESUME_FROM_S, RESUME_FROM_SHARE * (length || Infinity));
  return resumes && Number.isFinite(position) ? position : 0;
}

/**
 * Tell the server the position now and then while it plays, and when it stops.
 * @param {HTMLVideoElement} video
 * @param {string} url
 */
export function keepPosition(video, url) {
  let watched = false;
  let sent = { position: null, when: 0 };
  const send = () => {
    // While the source is changed the element is at 0, where nobody stopped.
    if (!watched || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const position = Math.round(video.currentTime * 1000);
    if (sent.position !== null && Math.abs(position - sent.position) < STEP_MS) return;
    sent = { position, when: performance.now() };
    fetch(url, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ position_ms: position }),
      keepalive: true, // the page may be on its way out
    }).catch(() => {
      // Without a network nothing is remembered; the next time it may be.
    });
  };
  video.addEventListener("timeupdate", () => {
    if (video.paused || video.seeking) return;
    if (!watched) sent.when = performance.now();
    watched = true;
    if (performance.now() - sent.when >= EVERY_MS) send();
  });
  video.addEventListener("pause", send);
  addEventListener("pagehide", send);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") send();
  });
}
