// Keeps a page of the console true: reads it again when it is told to, and now and then, and puts in what has changed; whoever has unfolded or is writing something keeps it.
//
//   parts      `[data-live]` is replaced alone, by its name, with the focus and the place to which it
//              was moved; a page whose parts are others than before is replaced as a whole.
//   the line   `[data-offline]` is shown while nothing can be read.
//   forms      one that is sent is not sent twice by a second tap.
//   once       what was just done is told for a while, and not again when the page is.
// Without script the page loads itself.

const ASK_SECONDS = 8; // how long an answer may take
const TOLD_SECONDS = 20; // how long it is told what was just done
const LATER_SECONDS = 5; // after a look that failed, or while somebody is at something
const main = document.querySelector("main[data-again]");
let timer = 0;
let asking = false;
let again = false;

async function look() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  clearTimeout(timer);
  let seconds = LATER_SECONDS;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    });
    if (answer.redirected || [401, 403].includes(answer.status)) return location.reload(); // signed out meanwhile
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (show(fresh)) seconds = Number(fresh.querySelector("main").dataset.again ?? 0);
    reached(true);
  } catch {
    reached(false);
  } finally {
    asking = false;
    if (again) look();
    else if (seconds && !document.hidden) wait(seconds);
  }
}

// Puts in what is new, and says whether all of it could be.
function show(fresh) {
  const mine = [...document.querySelectorAll("[data-live]")];
  const theirs = [...fresh.querySelectorAll("[data-live]")];
  const names = (parts) => parts.map((each) => each.dataset.live).join();
  if (mine.length && names(mine) === names(theirs)) {
    return mine.map((part, at) => put(part, theirs[at])).every(Boolean);
  }
  return put(main, fresh.querySelector("main"));
}

function put(part, fresh) {
  if (said(part) === said(fresh)) return true;
  if (isBusy(part)) return false;
  const scrolled = [...part.querySelectorAll(".wide")].map((each) => each.scrollLeft);
  const at = focusables(part).indexOf(document.activeElement);
  for (const name of ["data-tone", "hidden"]) {
    if (fresh.hasAttribute(name)) part.setAttribute(name, fresh.getAttribute(name));
    else part.removeAttribute(name);
  }
  part.replaceChildren(...fresh.childNodes);
  [...part.querySelectorAll(".wide")].forEach((each, n) => (each.scrollLeft = scrolled[n] ?? 0));
  if (at >= 0) focusables(part)[at]?.focus({ preventScroll: true });
  return true;
}

// What a part says, without the secrets of its forms: these are others each time.
function said(part) {
  const copy = part.cloneNode(true);
  for (const input of copy.querySelectorAll("input[name=key]")) input.remove();
  for (const folded of copy.querySelectorAll("details[open]")) folded.removeAttribute("open");
  return copy.outerHTML;
}

function isBusy(part) {
  const typed = [...part.querySelectorAll("input:not([type=hidden]), textarea")];
  const isTyping = typed.some((each) => each === document.activeElement || each.value !== each.defaultValue);
  return isTyping || part.querySelector("details[open]") !== null;
}

function focusables(part) {
  return [...part.querySelectorAll("a, button, summary, input:not([type=hidden]), select, [tabindex='0']")];
}

function reached(isSo) {
  for (const notice of document.querySelectorAll("[data-offline]")) notice.hidden = isSo;
}

function wait(seconds) {
  clearTimeout(timer);
  timer = setTimeout(look, seconds * 1000);
}

// What was just done stands in the address: there it is done once, here it is told once.
function tellOnce() {
  const address = new URL(location.href);
  if (!address.searchParams.has("said")) return;
  address.searchParams.delete("said");
  history.replaceState(history.state, "", address);
  const notice = document.querySelector("[data-once]");
  if (notice) setTimeout(() => notice.remove(), TOLD_SECONDS * 1000);
}

function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
}

function sendAgain() {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
}

tellOnce();
document.addEventListener("submit", sendOnce);
addEventListener("pageshow", sendAgain);
if (main) {
  document.addEventListener("live:changed", look);
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  addEventListener("pageshow", (event) => event.persisted && look());
  wait(Number(main.dataset.again));
}
