// Keeps the tickets that were opened in this browser readable without a network: only those, and only while they open something.

const KEPT = "rusuban-ticket-VERSION:";
const OURS = "rusuban-ticket-";
const KEPT_MAX = 20; // tickets; the one kept longest goes first
const PATIENCE_MS = 4000; // how long the network may take before the copy is shown
const LOOSELY = { ignoreSearch: true, ignoreVary: true };
const TICKET = /^\/t\/[0-9a-f]{32}$/;
const BELOW = /^(\/t\/[0-9a-f]{32})\/[a-z]+$/; // what a ticket's page leads to

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => {
  event.waitUntil(
    tidy(async (name) => !name.startsWith(KEPT)).then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  const { keep, text, headers, files, forget } = event.data;
  if (TICKET.test(forget ?? "")) event.waitUntil(caches.delete(KEPT + forget));
  if (TICKET.test(keep ?? "")) event.waitUntil(take(keep, new Response(text, { headers }), files));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && TICKET.test(pathname)) {
    event.respondWith(open(request, pathname));
  } else if (request.mode === "navigate" && BELOW.test(pathname)) {
    event.respondWith(fetch(request).catch(() => back(BELOW.exec(pathname)[1])));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith(file(request));
  }
});

async function open(request, path) {
  const kept = await caches.match(path, LOOSELY);
  const fresh = fetch(request).then(async (answer) => {
    if (answer.status === 404 || answer.status === 410) await caches.delete(KEPT + path);
    return answer;
  });
  if (!kept) return fresh;
  fresh.catch(() => {});
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  try {
    const answer = await Promise.race([fresh, late]);
    if (answer && answer.status < 500) return answer;
  } catch {
    // there is no network: the copy has to do
  }
  return kept;
}

// Without a network a ticket's other pages are of no use: its own page says so, and shows its code.
async function back(path) {
  return (await caches.has(KEPT + path)) ? Response.redirect(path) : Response.error();
}

async function file(request) {
  return (await caches.match(request, LOOSELY)) ?? fetch(request);
}

async function take(path, answer, files) {
  const cache = await caches.open(KEPT + path);
  await cache.put(path, answer);
  const ours = files.filter((each) => new URL(each).origin === self.location.origin);
  await Promise.all(
    ours.map(async (each) => (await cache.match(each, LOOSELY)) ?? cache.add(each)),
  );
  const names = (await caches.keys()).filter((name) => name.startsWith(KEPT));
  await Promise.all(names.slice(0, Math.max(0, names.length - KEPT_MAX)).map((name) => caches.delete(name)));
}

async function tidy(isOld) {
  for (const name of await caches.keys()) {
    if (name.startsWith(OURS) && (await isOld(name))) await caches.delete(name);
  }
}
