// Keeps an open ticket's page true without loading it again, and lets it go on without a network.

const CALM_SECONDS = 60; // between two looks where nothing will change soon, or where we are told of it
const CODE_SECONDS = 15; // between two looks at a code that changes by itself
const SOON_SECONDS = 5; // after a look that failed
const ASK_SECONDS = 8; // how long an answer may take

const live = [...document.querySelectorAll("[data-live]")];
const page = document.querySelector("[data-ticket]");
const path = location.pathname;
const keeper = navigator.serviceWorker?.register("/t/worker.js", { scope: "/t/" }).catch(() => null);
let facts = read(document);
let ahead = 0; // milliseconds by which the store's clock is ahead of this one
let timer = 0;
let asking = false;
let again = false;
let wake = null; // keeps the screen on while the code is to be read
let kept = { phase: "", at: 0 };
let isTold = false; // that something has changed: as long as we are, we need not ask

function read(from) {
  const { phase, now, refresh, lookAt, turns, closed } = from.querySelector("[data-ticket]").dataset;
  return {
    phase,
    now: Number(now),
    refresh: Number(refresh),
    lookAt: Number(lookAt),
    turns: turns === "1",
    closed: closed === "1",
  };
}

function clock() {
  return Date.now() + ahead;
}

// --- What the store says now -------------------------------------------------------------------

async function look() {
  again = asking; // what changes while we ask may have come too late for the answer
  if (asking) return;
  asking = true;
  try {
    const answer = await fetch(path, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    });
    if (answer.status === 404) {
      tell({ forget: path });
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const text = await answer.text();
    show(new DOMParser().parseFromString(text, "text/html"));
    online(true);
    keep(text, [...answer.headers]);
  } catch {
    online(false);
  } finally {
    asking = false;
    next();
    if (again) look();
  }
}

function show(fresh) {
  if (!fresh.querySelector("[data-ticket]")) throw new Error("this is another page");
  facts = read(fresh);
  ahead = facts.now - Date.now();
  for (const part of live) {
    const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    const busy = part.querySelector("details[open]") || part.contains(document.activeElement);
    const kept = busy && part.dataset.phase === other.dataset.phase;
    if (kept || part.innerHTML === other.innerHTML) continue;
    part.dataset.phase = other.dataset.phase ?? "";
    part.replaceChildren(...other.childNodes);
  }
  page.dataset.phase = facts.phase;
  document.title = fresh.title;
  besides();
}

// --- What only this phone knows: its own clock, and that its screen is to stay on before a scanner --

function besides() {
  const own = document.querySelector("[data-own]");
  if (own) {
    const { zone, from, to, own: words } = own.dataset;
    const [starts, ends] = [from, to].map((at) => wall(Number(at)));
    own.hidden = starts === wall(Number(from), zone);
    own.textContent = words.replace("{starts}", starts).replace("{ends}", ends);
  }
  const isShown = facts.phase === "open" && !document.hidden;
  if (isShown && !wake) {
    wake = navigator.wakeLock?.request("screen").catch(() => null) ?? null;
  } else if (!isShown && wake) {
    wake.then((lock) => lock?.release());
    wake = null;
  }
}

function wall(at, timeZone) {
  const how = { timeZone, hour: "numeric", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(document.documentElement.lang, how).format(at).replace(/^0(?=\d)/, "");
}

function next() {
  clearTimeout(timer);
  if (document.hidden) return;
  const untilThen = facts.lookAt ? Math.max(1, (facts.lookAt - clock()) / 1000 + 0.2) : CALM_SECONDS;
  timer = setTimeout(look, Math.min(pause(), untilThen, CALM_SECONDS) * 1000);
}

function told(is) {
  isTold = is;
  next();
}

function pause() {
  if (document.body.classList.contains("offline")) return SOON_SECONDS;
  if (isTold) return facts.turns && facts.refresh ? CODE_SECONDS : CALM_SECONDS;
  return facts.refresh || CALM_SECONDS;
}

// --- Without a network: this phone's own clock goes on ------------------------------------------

function online(is) {
  document.body.classList.toggle("offline", !is);
  document.querySelector("[data-offline]").hidden = is;
  if (!is) goOn();
}

function goOn() {
  const later = [...document.querySelectorAll("template[data-from]")];
  const due = later.filter((each) => Number(each.dataset.from) <= clock()).pop();
  if (!due) return;
  const state = document.querySelector('[data-live="state"]');
  if (state.innerHTML.trim() !== due.innerHTML.trim()) {
    state.replaceChildren(due.content.cloneNode(true));
    page.dataset.phase = due.dataset.phase;
  }
}

function count() {
  const label = document.querySelector("[data-until]");
  if (label) {
    const left = Math.max(0, Math.ceil((Number(label.dataset.until) - clock()) / 1000));
    label.textContent = label.dataset.left.replace("{left}", length(left, label.dataset));
    light(document.querySelector("progress"), left);
  }
  if (document.body.classList.contains("offline")) goOn();
}

function light(progress, left) {
  if (!progress) return;
  progress.value = left;
  const windows = [...document.querySelectorAll(".house g")];
  const lit = Math.ceil((windows.length * left) / progress.max);
  windows.forEach((each, number) => each.setAttribute("class", number < lit ? "lit" : "dark"));
}

function length(left, words) {
  const rounded = left > 120 ? Math.ceil(left / 60) * 60 : left;
  const hours = Math.floor(rounded / 3600);
  const minutes = Math.floor((rounded % 3600) / 60);
  const seconds = rounded % 60;
  const told = [];
  if (hours) told.push(words.hours.replace("{count}", hours));
  if (minutes) told.push(words.minutes.replace("{count}", minutes));
  if (seconds || !told.length) told.push(words.seconds.replace("{count}", seconds));
  return told.join(" ");
}

// --- The copy that this phone keeps ---------------------------------------------------------------

// The worker of tickets, not that of all other pages, which may be ready before it.
async function tell(words) {
  const ours = await keeper;
  (ours?.active ?? ours?.waiting ?? ours?.installing)?.postMessage(words);
}

function keep(text, headers) {
  if (facts.closed) {
    tell({ forget: path });
    return;
  }
  if (kept.phase === facts.phase && Date.now() - kept.at < CALM_SECONDS * 1000) return;
  kept = { phase: facts.phase, at: Date.now() };
  const files = [...document.querySelectorAll("link[rel~=icon], link[rel=stylesheet]")].map((each) => each.href);
  const scripts = [...document.scripts].map((each) => each.src);
  const pictures = [...document.images].map((each) => each.src);
  tell({ keep: path, text, headers, files: [...new Set([...files, ...scripts, ...pictures])] });
}

document.addEventListener("visibilitychange", () => {
  wake = null; // a page that nobody sees has lost it
  besides();
  if (document.hidden) clearTimeout(timer);
  else look();
});
document.addEventListener("live:up", () => told(true));
document.addEventListener("live:down", () => told(false));
document.addEventListener("live:changed", look);
addEventListener("online", look);
addEventListener("offline", () => online(false));
addEventListener("pageshow", (event) => event.persisted && look());
setInterval(count, 1000);
count();
besides();
look();
