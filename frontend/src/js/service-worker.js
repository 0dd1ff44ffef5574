/**
 * The service worker: a page that says "You are offline" in place of the browser's own, and the static
 * files. Pages, media and the API are never kept: what somebody may see is decided by the server, each time.
 */

/* global STATIC_FILES -- what the offline page needs; build.mjs fills it in */
const OFFLINE = "/offline";
const CACHE = `static ${STATIC_FILES.join(" ")}`;

self.addEventListener("install", (event) => {
  event.waitUntil(prepare());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(tidyUp());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(navigate(event));
  else if (pathname.startsWith("/static/")) event.respondWith(fromCache(request));
});

async function prepare() {
  const cache = await caches.open(CACHE);
  await cache.addAll([new Request(OFFLINE, { cache: "reload" }), ...STATIC_FILES]);
}

async function tidyUp() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  // A page's request does not wait for this worker to start.
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

/** Answer with the page, or say that there is no network. */
async function navigate(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

/** Static files never change: their names hold a hash of their content. */
async function fromCache(request) {
  return (await caches.match(request)) ?? fetch(request);
}
