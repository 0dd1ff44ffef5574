/** News of how far videos are prepared: a stream of events, or asking now and then without one. */

const FIRST_PAUSE = 4000;
const LONGEST_PAUSE = 30_000;

/**
 * Follow one address until there is nothing more to tell, or no right to be told.
 * @param {string} url answers with events, and with JSON to whoever asks for it
 * @param {(state: object) => boolean} tell takes news; false ends it
 * @param {object} [tools] of the browser
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

  /** Whatever comes after the end, such as an answer that was under way, is not told. */
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
      // A line that broke is dialled again by the browser; one that was refused is not.
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
 * @returns {Promise<{states?: object[], gone?: boolean}>} nothing while the server is away or busy
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

/** Whether nothing more happens by itself. */
export function isOver(state) {
  return ["done", "failed", "refused"].includes(state.state);
}
