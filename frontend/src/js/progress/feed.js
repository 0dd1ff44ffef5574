/** Processing progress of videos: server-sent events, or polling where they are not available. */

const FIRST_PAUSE = 4000;
const LONGEST_PAUSE = 30_000;

/**
 * Follow a progress URL until processing ends or access is refused.
 * @param {string} url answers with events, or with JSON
 * @param {(state: object) => boolean} tell receives a state; returning false ends it
 * @param {object} [tools] of the browser, replaced in tests
 * @returns {() => void} ends it
 */
export function follow(url, tell, tools = {}) {
  const {
    Source = globalThis.EventSource,
    ask = askForJson,
    later = setTimeout,
    forget = clearTimeout,
  } = tools;
  let source;
  let timer;
  let ended = false;

  function end() {
    ended = true;
    source?.close();
    forget(timer);
  }

  /** Pass states on, unless it has ended: an answer may still have been under way. */
  function pass(states) {
    for (const state of states) {
      if (!ended && !tell(state)) end();
    }
  }

  async function poll(pause) {
    const { states, gone } = await ask(url);
    if (gone) end();
    pass(states ?? []);
    if (ended) return;
    const next = states ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
    timer = later(() => poll(next), next);
  }

  function listen() {
    source = new Source(url);
    source.addEventListener("progress", (event) => pass([JSON.parse(event.data)]));
    source.addEventListener("error", () => {
      // The browser reconnects after a lost connection, but not after a refusal.
      if (ended || source.readyState !== 2) return;
      source.close();
      poll(FIRST_PAUSE);
    });
  }

  if (Source) listen();
  else poll(FIRST_PAUSE);
  return end;
}

/**
 * @param {string} url
 * @returns {Promise<{states?: object[], gone?: boolean}>} empty while the server is down or busy
 */
async function askForJson(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (answer.ok) return { states: statesOf(await answer.json()) };
    return { gone: answer.status < 500 && answer.status !== 429 };
  } catch {
    return {};
  }
}

/** An answer about several videos, or about one, as a list. */
export function statesOf(body) {
  if (!body.videos) return [body];
  return Object.entries(body.videos).map(([id, state]) => ({ id, ...state }));
}

/** Whether processing has ended. */
export function isOver(state) {
  return ["done", "failed", "refused"].includes(state.state);
}
