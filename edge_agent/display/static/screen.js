// The page: hears what is shown, keeps the newest of each device, and has it drawn in its language.

import { bar } from "./bar.js";
import { Clock } from "./clock.js";
import { drawArt } from "./art.js";
import { drawBooths } from "./booths.js";
import { listen, press } from "./stream.js";
import { Panel } from "./panel.js";
import { drawScanner } from "./scanner.js";
import { Sound } from "./sound.js";
import { isLive, moneyOf, writtenByHelper } from "./call.js";

const HALL = "";
const LOOKED_AT_MS = 30000; // whoever has looked at a device of many has gone
const FOR_ANYBODY = new Set(["help", "confirm"]);
const one = decodeURIComponent(location.pathname.match(/^\/device\/([^/]+)$/)?.[1] ?? "");
const at = (id) => document.getElementById(id);

const page = { language: "ja", labels: null, phone: "", defaultLanguage: "ja" };
const pictures = new Map();
const clock = new Clock();
const sound = new Sound();
const panel = new Panel(at("panel"), say);
let spoken = "";
let lastSession = null;

listen({
  page: (told) => {
    page.labels = told.labels;
    page.phone = told.phone;
    page.ready = told.ready;
    page.defaultLanguage = told.language;
    sound.isOn = told.sound;
    choose(page.chosen ?? told.language);
  },
  picture: (told) => {
    const before = pictures.get(told.key);
    pictures.set(told.key, told);
    clock.set(told.key, told.left_seconds);
    if (before && isHere(told) && told.cue && told.moment !== before.moment) sound.play(told.cue, told.moment);
    if (before && told.key === shownKey()) hearHelper(before.helping.call, told.helping.call);
  },
  all: (told) => {
    for (const key of pictures.keys()) if (!told.keys.includes(key)) pictures.delete(key);
    draw();
  },
  left: (told) => {
    for (const [key, seconds] of Object.entries(told.left_seconds)) clock.set(key, seconds);
    tick();
  },
  scanner: (told) => drawScanner((page.seen = told), words),
  away: (isAway) => {
    const away = at("away");
    away.hidden = !isAway;
    away.replaceChildren();
    if (isAway && page.labels) away.append(strong(label("away_what")), " ", label("away_next"));
  },
}, one);

at("larger").addEventListener("click", () => {
  const isLarge = document.documentElement.classList.toggle("large");
  at("larger").setAttribute("aria-pressed", String(isLarge));
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => choose((page.chosen = button.dataset.language)));
}
setInterval(tick, 250);
addEventListener("hashchange", () => {
  clearTimeout(page.returns);
  if (location.hash.length > 1) page.returns = setTimeout(() => (location.hash = ""), LOOKED_AT_MS);
  draw();
});

function label(name, values = {}) {
  return page.labels[page.language][name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

function words(said) {
  return said?.[page.language] ?? said?.en ?? { what: "", next: "" };
}

function choose(language) {
  page.language = language;
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }
  if (!page.labels) return;
  at("languages").setAttribute("aria-label", label("language"));
  at("larger-label").textContent = label("large");
  at("chip-label").textContent = label("remaining");
  panel.speak({ label, words, page });
  draw();
}

// Which device fills the screen: the one of the address, the only one there is, or one looked at.
function shownKey() {
  if (one) return one;
  const keys = [...pictures.keys()].filter((key) => key !== HALL);
  if (keys.length === 1) return keys[0];
  const looked = decodeURIComponent(location.hash.slice(1));
  return keys.includes(looked) ? looked : HALL;
}

// A line of the helper's is heard, and read in the note of whoever has hidden the call.
function hearHelper(before, now) {
  const count = writtenByHelper(now);
  if (!now || before?.call !== now.call || count <= writtenByHelper(before)) return;
  sound.play("word", `${now.call} ${count}`);
}

// What it costs now, and who comes next: for whoever uses it, and for whoever could.
function aroundOf({ around }) {
  const price = around.price_cents ? moneyOf(around.price_cents, around.currency, page.language) : "";
  const time = around.next_at?.[page.language];
  return [
    price && label("around_price", { price }),
    time && label(around.coming > 1 ? "around_coming" : "around_next", { time, n: around.coming }),
  ].filter(Boolean);
}

function inOnePiece(text) {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

function textOf(button, picture) {
  const call = picture.helping.call;
  if (button !== "help" || !isLive(call)) return label(button);
  const unread = writtenByHelper(call) - (page.read?.call === call.call ? page.read.count : 0);
  return label(unread > 0 ? "call_unread" : "call", { name: call.name, n: unread });
}

// At a screen of many devices nobody knows whose it is that is looked at: it is not his to end.
function buttonsOf(picture) {
  return isShared() ? picture.buttons.filter((each) => FOR_ANYBODY.has(each)) : picture.buttons;
}

function isShared() {
  return !one && pictures.size > 2;
}

function isHere(picture) {
  return picture.key === shownKey() || shownKey() === HALL;
}

function draw() {
  const key = shownKey();
  const picture = pictures.get(key) ?? pictures.get(HALL);
  if (!picture || !page.labels) return;
  const said = words(picture.words);
  const isHall = key === HALL && pictures.size > 1;
  document.body.dataset.face = picture.face;
  document.body.dataset.tone = picture.tone;
  document.body.classList.toggle("hall", isHall);
  put(at("title"), picture.title || "留守番");
  put(at("number"), picture.number === null ? "" : label("number", { n: picture.number }));
  at("number").hidden = picture.number === null;
  document.title = `${picture.title || "留守番"} · ${said.what}`;
  put(at("what"), said.what);
  put(at("next"), said.next);
  const used = Math.round((picture.delivered_seconds ?? 0) / 60);
  at("used").hidden = used < 1;
  put(at("used"), used < 1 ? "" : label("used", { n: used }));
  const around = aroundOf(picture);
  at("around").hidden = isHall || !around.length;
  if (at("around").textContent !== around.join("")) at("around").replaceChildren(...around.map(inOnePiece));
  const note = picture.note && words(picture.note);
  at("note").hidden = !note;
  at("note").replaceChildren(...(note ? [strong(note.what), " ", note.next] : []));
  drawArt(at("art"), picture, label);
  drawBooths(at("booths"), isHall ? pictures : new Map(), { label, words });
  const open = (button) => {
    panel.open(button, picture, isShared());
    if (panel.isCalling) draw();
  };
  if (page.seen) drawScanner(page.seen, words);
  panel.follow(picture);
  const call = picture.helping.call;
  if (panel.isCalling && call) page.read = { call: call.call, count: writtenByHelper(call) };
  bar(at("bar"), isHall ? [] : buttonsOf(picture), (button) => textOf(button, picture), open);
  tellSeen(picture);
  at("chip").hidden = picture.left_seconds === null || picture.face === "running";
  const isLookedAt = !one && !isHall && pictures.size > 2;
  at("place").toggleAttribute("data-back", isLookedAt);
  if (isLookedAt) at("place").href = "#";
  else at("place").removeAttribute("href");
  put(at("all"), isLookedAt ? label("all") : "");
  forget(picture);
  say(`${said.what} ${said.next}`);
  tick();
}

// A warning that nobody could see was none: the terminal is told of each that stood here.
function tellSeen(picture) {
  if (picture.message && document.visibilityState === "visible" && page.heard !== picture.message) {
    page.heard = picture.message;
    press(picture.key, "read", { message: picture.message });
  }
  if (picture.tone !== "warn" || document.visibilityState !== "visible") return;
  if (page.told === picture.moment) return;
  page.told = picture.moment;
  press(picture.key, "seen", { session: picture.session, seconds_left: picture.warned_seconds });
}

// Whoever comes next does not find the language and the letters of whoever has gone.
function forget(picture) {
  if (lastSession && !picture.session && picture.face === "idle") {
    document.documentElement.classList.remove("large");
    at("larger").setAttribute("aria-pressed", "false");
    delete page.chosen;
    lastSession = null;
    choose(page.defaultLanguage);
  }
  lastSession = picture.session ?? lastSession;
}

function tick() {
  if (!page.labels) return;
  const key = shownKey();
  const left = clock.left(key);
  if (left !== null) {
    const minutes = Math.floor(left / 60);
    const seconds = Math.floor(left % 60);
    const said = label("remaining_said", { minutes, seconds });
    put(at("chip-time"), Clock.text(left));
    at("chip").setAttribute("aria-label", said);
    drawArt.tick(left, pictures.get(key)?.of_seconds ?? left, said);
  }
  for (const each of document.querySelectorAll("[data-left]")) {
    const seconds = clock.left(each.dataset.left);
    put(each, seconds === null ? "" : Clock.text(seconds));
  }
}

// Said once, and politely: a screen reader finishes its sentence first.
function say(text) {
  if (text === spoken) return;
  spoken = text;
  at("spoken").textContent = text;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function strong(text) {
  const element = document.createElement("strong");
  element.textContent = text;
  return element;
}
