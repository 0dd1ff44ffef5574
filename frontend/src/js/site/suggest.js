/** Suggestions of people and groups while a name is typed. */

const WAIT_MS = 150;

/**
 * Fill the list of a field marked with `data-suggest`, the address that suggests. Fields may come later.
 */
export function suggestNames() {
  let timer;
  let running = new AbortController();
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || !field.dataset.suggest || !field.list) return;
    clearTimeout(timer);
    running.abort();
    running = new AbortController();
    const { signal } = running;
    timer = setTimeout(() => fill(field, signal).catch(() => {}), WAIT_MS);
  });
}

/** @param {HTMLInputElement} field @param {AbortSignal} signal */
async function fill(field, signal) {
  const address = `${field.dataset.suggest}?q=${encodeURIComponent(field.value)}`;
  const answer = await fetch(address, { signal });
  if (!answer.ok) return;
  const { suggestions } = await answer.json();
  const wanted = suggestions.filter(({ kind }) => !field.dataset.kind || field.dataset.kind === kind);
  field.list.replaceChildren(
    ...wanted.map(({ text }) => {
      const option = document.createElement("option");
      option.value = text;
      return option;
    }),
  );
}
