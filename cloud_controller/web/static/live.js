// Keeps an open page true: puts in what is new on the storefront, and says to the others' own scripts when to look again.
//
// A page asks for it by `data-events` on any element: the address of its stream.
//   pictures   `[data-store]` holds those of a store; `template[data-store-piece]` is one that is
//              new, with `[data-title]`; or `[data-shelves]` holds all. `[data-offering]` is one.
//              A store without any has the class `bare`; `[data-nothing]` is shown where all are.
//   look again `live:changed` is heard by the page's script, on `document`.
//   the line   `live:up` and `live:down` are heard too: without it a page reads itself now and then.
// Nothing is told to a page that nobody sees; one that is seen again has missed nothing.

const place = document.querySelector("[data-events]");
const AGAIN_SECONDS = [1, 2, 5, 15, 30]; // after how many failures it waits how long
const CROWD_SECONDS = 1; // a page that cannot show what is new is read again within so long, not all at one moment
let source = null;
let heard = ""; // the last event of which we know
let failures = 0;
let timer = 0;

function open() {
  clearTimeout(timer);
  if (source || document.hidden || !navigator.onLine) return;
  const address = new URL(place.dataset.events, location.href);
  address.searchParams.set("lang", document.documentElement.lang);
  if (heard) address.searchParams.set("since", heard);
  source = new EventSource(address);
  source.addEventListener("open", () => {
    failures = 0;
    say("up");
  });
  source.addEventListener("error", () => {
    say("down");
    if (source?.readyState !== EventSource.CLOSED) return; // it comes again by itself
    close();
    const seconds = AGAIN_SECONDS[Math.min(failures++, AGAIN_SECONDS.length - 1)];
    timer = setTimeout(open, seconds * 1000 * (1 + Math.random()));
  });
  source.addEventListener("page", (event) => take(event, (told) => whole(told.cards)));
  source.addEventListener("card", (event) => take(event, (told) => show([told])));
  source.addEventListener("changed", (event) => take(event, () => say("changed")));
}

function close() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function take(event, act) {
  act(JSON.parse(event.data));
  heard = event.lastEventId || heard;
}

function say(what) {
  document.dispatchEvent(new CustomEvent(`live:${what}`));
}

// --- Pictures ------------------------------------------------------------------------------------

function shelves() {
  return document.querySelector("[data-shelves]") ?? document.querySelector("main");
}

function known(offering) {
  return shelves().querySelector(`[data-offering="${CSS.escape(offering)}"]`);
}

function list(store) {
  return shelves().querySelector(`[data-store="${CSS.escape(store)}"]`);
}

// The place of a store that is new is made as the page's template has it.
function placed(card) {
  const known = list(card.store) ?? document.querySelector("[data-shelves]:not(:has([data-store]))");
  const piece = document.querySelector("template[data-store-piece]");
  if (known || !piece) return known;
  const made = piece.content.firstElementChild.cloneNode(true);
  made.dataset.store = card.store;
  made.setAttribute("aria-label", card.title);
  made.querySelector("[data-title]").textContent = card.title;
  piece.before(made);
  return made;
}

function whole(cards) {
  const here = new Set(cards.map((card) => card.offering));
  const gone = [...shelves().querySelectorAll("[data-offering]")].filter(
    (card) => !here.has(card.dataset.offering),
  );
  for (const card of gone) card.remove();
  const told = cards.map((card, at) => ({ ...card, before: cards[at + 1]?.offering ?? null }));
  show(told.reverse());
}

function show(cards) {
  if (!cards.every((card) => card.html === "" || placed(card))) {
    setTimeout(() => location.reload(), Math.random() * CROWD_SECONDS * 1000);
    return;
  }
  for (const card of cards) put(card);
  const nothing = document.querySelector("[data-nothing]");
  if (nothing) nothing.hidden = shelves().querySelector("[data-offering]") !== null;
  for (const store of shelves().querySelectorAll("[data-store]")) {
    store.classList.toggle("bare", !store.querySelector("[data-offering]"));
  }
  document.dispatchEvent(new CustomEvent("live:shown"));
}

function put({ offering, store, html, before }) {
  const was = known(offering);
  if (html === "") {
    was?.remove();
    return;
  }
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const card = holder.content.firstElementChild;
  const next = before ? known(before) : null;
  if (was && same(was, card)) {
    card.remove();
  } else if (was) {
    const at = focused(was);
    was.replaceWith(card);
    focusables(card)[at]?.focus({ preventScroll: true });
  } else {
    const home = placed({ store });
    if (next && home.contains(next)) next.before(card);
    else home.append(card);
  }
}

// Whether both show the same: what one browser's copy has besides are the keys of its forms.
function same(one, other) {
  const [first, second] = [one, other].map((each) => {
    const copy = each.cloneNode(true);
    for (const input of copy.querySelectorAll("input[name=key]")) input.remove();
    return copy.outerHTML.replace(/\s+/g, " ");
  });
  return first === second;
}

function focusables(card) {
  return [...card.querySelectorAll("a, button, input:not([type=hidden]), select")];
}

function focused(card) {
  return focusables(card).indexOf(document.activeElement);
}

if (place) {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pageshow", (event) => event.persisted && open());
  addEventListener("pagehide", close);
  addEventListener("online", open);
  addEventListener("offline", () => (close(), say("down")));
  open();
}
