// What a storefront's page does besides, where script runs: all of it works without.

const KEY_BYTES = 16;

// --- A form that came without a key, as everybody's do, is given one of this browser's own ----------

addEventListener("submit", (event) => {
  const form = event.target;
  if (!("key" in form.dataset)) return;
  if (form.dataset.sent) {
    event.preventDefault(); // a second tap: the first one's answer is on its way
    return;
  }
  if (navigator.onLine === false) {
    event.preventDefault();
    online(false);
    offline?.scrollIntoView({ block: "center" });
    return;
  }
  form.dataset.sent = "1";
  if (!form.elements.namedItem("key")) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: "key", value: newKey() });
    form.append(field);
  }
  event.submitter?.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}

// --- One's own clock beside the store's, where the two differ ---------------------------------------

const clock = document.querySelector("[data-clock]");
const language = document.documentElement.lang;

function wall(at, zone) {
  const how = { timeZone: zone, hour: "numeric", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(language, how).format(at).replace(/^0(?=\d)/, "");
}

function sideBySide(root) {
  for (const each of root.querySelectorAll("[data-at]")) {
    if (each.querySelector(".own")) continue;
    const zone = each.closest("[data-zone]")?.dataset.zone;
    const at = Number(each.dataset.at);
    const own = wall(at);
    if (!zone || own === wall(at, zone)) continue;
    const words = clock.dataset.own.replace("{at}", own);
    const small = document.createElement("small");
    small.className = "own";
    small.textContent = words;
    each.append(small);
    each.setAttribute("aria-label", `${each.getAttribute("aria-label")} (${words})`);
  }
  clock.hidden = root.querySelector(".own") === null; // it speaks of small times: with none left it goes too
}

if (clock) {
  sideBySide(document);
  new MutationObserver(() => sideBySide(document)).observe(document.querySelector("main"), {
    childList: true,
    subtree: true,
  });
}

// --- What is shown hangs on cards that are shown elsewhere: when one changes, the page is read again --

const watched = document.querySelector("[data-watched]");
const LOOK_SECONDS = 4; // from one reading to the next at the least
const CROWD_SECONDS = 1; // everybody who watches reads within so long, not all at one moment
const LATE_SECONDS = 2; // a page that hears its first word later, as one that was opened in the background, is read again
let seen = null;
let lookedAt = 0;
let timer = 0;

// What the page says of them: one offering as it stands, or of each store what is free when.
function standing() {
  const name = watched.dataset.watched;
  const cards = [...watched.querySelectorAll("[data-offering]")];
  if (!name) return cards.map((card) => `${card.dataset.offering} ${card.querySelector(".status").textContent}`).join();
  const said = cards.find((card) => card.dataset.offering === name)?.cloneNode(true);
  for (const key of said?.querySelectorAll("input[name=key]") ?? []) key.remove();
  return said?.outerHTML ?? "";
}

function changed() {
  const now = standing();
  const was = seen;
  seen = now;
  const isLate = performance.now() > LATE_SECONDS * 1000;
  if (was === now || (was === null && !isLate)) return;
  clearTimeout(timer);
  const rest = Math.max(0, lookedAt + LOOK_SECONDS * 1000 - Date.now());
  timer = setTimeout(look, rest + Math.random() * CROWD_SECONDS * 1000);
}

async function look() {
  lookedAt = Date.now();
  const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
  if (!answer) return;
  if (answer.status === 404) {
    location.reload(); // it is not to be had any more, and its page says so
    return;
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (!other) continue;
    const at = focusables(part).indexOf(document.activeElement);
    part.replaceChildren(...other.childNodes);
    focusables(part)[at]?.focus({ preventScroll: true });
  }
}

function focusables(part) {
  return [...part.querySelectorAll("a, button")];
}

if (watched) document.addEventListener("live:shown", changed);

// --- Without a network: what is shown grows old, and says so ------------------------------------------

const offline = document.querySelector("[data-offline]");

function online(is) {
  document.body.classList.toggle("offline", !is);
  if (offline) offline.hidden = is;
}

addEventListener("offline", () => online(false));
addEventListener("online", () => online(true));
document.addEventListener("live:up", () => online(true));
if (navigator.onLine === false) online(false);

if (navigator.serviceWorker) {
  navigator.serviceWorker.register(`/worker.js?lang=${language}`, { scope: "/" }).catch(() => {});
}
