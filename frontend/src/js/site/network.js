/** What the page does where there is no network: it says so, and the service worker has a page of its own. */

/** Show the banner while the browser is offline. @param {HTMLElement | null} banner */
export function watchNetwork(banner) {
  if (!banner) return;
  const show = () => {
    banner.hidden = navigator.onLine;
  };
  addEventListener("online", show);
  addEventListener("offline", show);
  show();
}

/** On the offline page: ask for the page again by its button, or as soon as there is a network. */
export function enableReload() {
  const form = document.querySelector("form[data-reload]");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.reload();
  });
  addEventListener("online", () => location.reload());
}

/** Register the service worker, once the page has loaded. Only over HTTPS or on this machine; never in a frame. */
export function registerServiceWorker() {
  if (!navigator.serviceWorker || window.top !== window) return;
  addEventListener("load", () => {
    navigator.serviceWorker.register("/sw.js").catch(() => {});
  });
}
