// Keeps the bars of installs true without loading the whole page again; without script the page loads itself.

const ASK_SECONDS = 8; // how long an answer may take
const SOON_SECONDS = 5; // after a look that failed

const part = document.querySelector("[data-live=installs]");
const offline = document.querySelector("[data-offline]");
let timer = 0;
let asking = false;

async function look() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let seconds = SOON_SECONDS;
  try {
    const answer = await fetch("/operator/modules/installs", {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    seconds = show(fresh.querySelector("[data-live=installs]"));
    offline.hidden = true;
  } catch {
    offline.hidden = false;
  } finally {
    asking = false;
    if (!document.hidden) timer = setTimeout(look, seconds * 1000);
  }
}

function show(fresh) {
  if (part.innerHTML !== fresh.innerHTML) part.replaceChildren(...fresh.childNodes);
  return Number(fresh.dataset.refresh);
}

document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
addEventListener("pageshow", (event) => event.persisted && look());
timer = setTimeout(look, Number(part.dataset.refresh) * 1000);
