// Keeps a talk between two people true, and sends what is written without losing it. Without script the same forms do it.
//
// `[data-help]` says how the page stands: where that has changed, the page is read as a whole.
// `[data-part]` are put in anew when something is; a page that is hidden waits until it is seen.
// `[data-here]` is a helper's page: a worker says that he is there, also while it is hidden.

const LOOK_SECONDS = 3; // between two looks while the stream is down
const CALM_SECONDS = 30; // while it is up: what only the clock changes
const ASK_SECONDS = 8; // how long an answer may take

const page = document.querySelector("[data-help]");
let isStreaming = false;
let timer = 0;
let asking = false;
let again = false; // somebody has said to look while we looked
let stamp = "";

async function look() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  again = false;
  clearTimeout(timer);
  try {
    show(await read(location.pathname, {}));
    online(true);
  } catch {
    online(false);
  } finally {
    asking = false;
    if (again) look();
    else wait();
  }
}

async function read(address, how) {
  const answer = await fetch(address, {
    headers: { Accept: "text/html" },
    cache: "no-store",
    signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    ...how,
  });
  if (answer.status === 404 || answer.status === 403) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

function show(fresh) {
  const other = fresh.querySelector("[data-help]");
  if (!other || other.dataset.help !== page.dataset.help) {
    location.reload();
    return;
  }
  for (const part of page.querySelectorAll("[data-part]")) {
    const now = other.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!now || said(part) === said(now)) continue;
    const isAtEnd = part.scrollHeight - part.scrollTop - part.clientHeight < 80;
    const at = focusables(part).indexOf(document.activeElement);
    if (part.dataset.part === "lines") part.append(...[...now.children].slice(part.children.length));
    else part.replaceChildren(...now.childNodes);
    focusables(part)[at]?.focus({ preventScroll: true });
    if (isAtEnd) part.scrollTop = part.scrollHeight;
  }
  document.title = fresh.title;
}

// What a part says, without the secrets of its forms: these are others each time.
function said(part) {
  const copy = part.cloneNode(true);
  for (const input of copy.querySelectorAll("input[name=key]")) input.remove();
  return copy.innerHTML.trim();
}

function focusables(part) {
  return [...part.querySelectorAll("a, button")];
}

function wait() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, (isStreaming ? CALM_SECONDS : LOOK_SECONDS) * 1000);
}

function online(is) {
  document.querySelector("[data-offline]").hidden = is;
}

// --- What is written ------------------------------------------------------------------------------

for (const form of document.querySelectorAll("form[data-send]")) {
  const text = form.querySelector("textarea");
  const button = form.querySelector("button");
  const failed = form.querySelector("[data-failed]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text.value.trim() || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    const words = text.value;
    try {
      const fresh = await read(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      form.elements.key.value = newKey();
      if (text.value === words) text.value = "";
      failed.hidden = true;
      show(fresh);
      online(true);
    } catch {
      failed.hidden = false; // the words stay, and so does their key: sent again, they are sent once
    } finally {
      button.removeAttribute("aria-busy");
      text.focus();
    }
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// --- When to look ---------------------------------------------------------------------------------

document.addEventListener("live:changed", look);
document.addEventListener("live:up", () => {
  isStreaming = true;
  look();
});
document.addEventListener("live:down", () => {
  isStreaming = false;
  wait();
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
addEventListener("pageshow", (event) => event.persisted && look());

if (page.dataset.here) {
  const here = new Worker(page.dataset.here, { type: "module" });
  here.addEventListener("message", ({ data }) => {
    online(data.isUp);
    if (!data.isUp || data.stamp === stamp) return;
    stamp = data.stamp;
    look();
  });
}

for (const lines of document.querySelectorAll(".talk[data-part]")) lines.scrollTop = lines.scrollHeight;
wait();
