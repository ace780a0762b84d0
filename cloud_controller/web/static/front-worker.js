// Where there is no network, a page of our own says so and leads to the tickets that this browser keeps; all else goes its way.

const OURS = "rusuban-front-";
const LANGUAGE = new URL(self.location).searchParams.get("lang") ?? "";
const KEPT = `${OURS}VERSION-${LANGUAGE}`;
const AWAY = "/offline";

self.addEventListener("install", (event) => event.waitUntil(keep().then(() => self.skipWaiting())));

self.addEventListener("activate", (event) => event.waitUntil(begin()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(go(event));
  else if (pathname.startsWith("/static/")) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request, { ignoreVary: true })) ?? Response.error()));
  }
});

async function go(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return (await caches.match(AWAY, { ignoreVary: true })) ?? Response.error();
  }
}

async function keep() {
  const cache = await caches.open(KEPT);
  const answer = await fetch(`${AWAY}?lang=${LANGUAGE}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  const text = await answer.clone().text();
  const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((found) => found[1]);
  await cache.addAll([...new Set(files)]);
  await cache.put(AWAY, answer);
}

async function begin() {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && name !== KEPT) await caches.delete(name);
  }
  await self.registration.navigationPreload?.enable(); // what is asked for does not wait for this script
  await self.clients.claim();
}
