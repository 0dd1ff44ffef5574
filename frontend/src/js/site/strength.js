/** How strong a new password is, said as one types it. The server decides again when the form is sent. */
import { t } from "../i18n.js";

const PAUSE = 250; // milliseconds without a key until the server is asked

/** @param {HTMLElement} part marked with `data-strength`: a password field and a line for words */
export function showStrength(part) {
  const input = part.querySelector("input");
  const line = part.querySelector(".strength");
  let timer = 0;
  let asking = new AbortController();

  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    if (input.value === "") {
      line.hidden = true;
      return;
    }
    const username = input.form?.elements.namedItem("username")?.value ?? "";
    try {
      const answer = await fetch("/api/passwords", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ password: input.value, username }),
        signal: asking.signal,
      });
      if (!answer.ok) return;
      const { score } = await answer.json();
      line.dataset.score = score;
      line.querySelector(".strength-words").textContent = wordsFor(input.value, score);
      line.hidden = false;
    } catch {
      // Typed on, or the site cannot be reached: sending the form will tell.
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
}

function wordsFor(password, score) {
  if ([...password].length < 8) return t("Too short: at least 8 characters");
  return [
    t("Too easy to guess"),
    t("Easy to guess: add another word"),
    t("Good enough"),
    t("Strong"),
    t("Very strong"),
  ][score];
}
