/** The link to this video, and a button that copies it. */

/** @param {HTMLElement} box */
export function enableCopyLink(box) {
  const input = box.querySelector("input");
  const button = box.querySelector("button");
  const words = button.querySelector("span");
  const before = words.textContent;
  input.value = location.origin + location.pathname;
  input.addEventListener("focus", () => input.select());
  button.addEventListener("click", async () => {
    words.textContent = (await copy(input)) ? "Copied" : "Press Ctrl+C to copy";
    setTimeout(() => {
      words.textContent = before;
    }, 3000);
  });
  words.setAttribute("aria-live", "polite");
  box.hidden = false;
}

/** @returns {Promise<boolean>} whether it is on the clipboard now */
async function copy(input) {
  try {
    // Missing over plain HTTP, which a home network often is.
    await navigator.clipboard.writeText(input.value);
    return true;
  } catch {
    input.select();
    return document.execCommand("copy");
  }
}
