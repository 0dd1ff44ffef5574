/** "Who can watch this?" as a dialog on the watch page. Without this script it is a page of its own. */

const dialog = document.getElementById("share");
const content = document.getElementById("share-content");
const OUTSIDE = ["access-summary", "sharing-summary"]; // the same words, in the dialog and beside the video

/** Fetch the page, and show its panel in the dialog. */
async function load(address, options) {
  const answer = await fetch(address, options);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const panel = page.getElementById("access-panel");
  // Signed out, or not ours to share any more: the page itself says so.
  if (!panel) {
    location.assign(answer.url);
    return;
  }
  content.replaceChildren(document.adoptNode(panel));
  const [words, beside] = OUTSIDE.map((id) => document.getElementById(id));
  if (words && beside) beside.textContent = words.textContent.trim();
}

for (const link of document.querySelectorAll("a[data-share]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    try {
      await load(link.href);
      dialog.showModal();
      document.getElementById("share-who")?.focus();
    } catch {
      location.assign(link.href);
    }
  });
}

content.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    await load(form.action, { method: form.method, body });
    const news = content.querySelector("[data-focus]") ?? content.querySelector("[role=status]");
    if (news) {
      news.tabIndex = -1;
      news.focus();
    }
    dialog.scrollTo({ top: 0 });
  } catch {
    form.submit();
  }
});
