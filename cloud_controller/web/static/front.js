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
  return new Intl.DateTimeFormat(language, how).format(at).replace(/^0/, "");
}

function sideBySide(root) {
  for (const each of root.querySelectorAll("[data-at]:not(:has(.own))")) {
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
    clock.hidden = false;
  }
}

if (clock) {
  sideBySide(document);
  new MutationObserver(() => sideBySide(document)).observe(document.querySelector("main"), {
    childList: true,
    subtree: true,
  });
}

// --- Without a network: what is shown grows old, and says so ------------------------------------------

const offline = document.querySelector("[data-offline]");

function online(is) {
  document.body.classList.toggle("offline", !is);
  if (offline) offline.hidden = is;
}

addEventListener("offline", () => online(false));
addEventListener("online", () => online(true));
if (navigator.onLine === false) online(false);
