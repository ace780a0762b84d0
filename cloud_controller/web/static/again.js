// Reads a page again when it is worth it, or when it is told to, and puts in what is new: nobody is thrown out of what he does. Without script the page loads itself.

const ASK_SECONDS = 8; // how long an answer may take
const LATER_SECONDS = 5; // after a look that failed, or while somebody types

const main = document.querySelector("main[data-again]");
let timer = 0;

async function look() {
  clearTimeout(timer);
  let seconds = LATER_SECONDS;
  try {
    const answer = await fetch(location.pathname, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    });
    if (answer.status < 500 && !answer.ok) return; // what a form was answered has no address of its own
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const other = fresh.querySelector("main");
    if (!isBusy()) {
      if (said(main) !== said(other)) {
        main.replaceChildren(...other.childNodes);
        document.title = fresh.title;
      }
      seconds = Number(other.dataset.again ?? 0);
    }
  } catch {
    // there is no line just now: what is shown stays
  }
  if (seconds) wait(seconds);
}

// What a page says, without the secrets of its forms: these are others each time.
function said(part) {
  const copy = part.cloneNode(true);
  for (const input of copy.querySelectorAll("input[name=key]")) input.remove();
  return copy.innerHTML;
}

function isBusy() {
  const typed = [...main.querySelectorAll("input:not([type=hidden]), textarea")];
  const isTyping = typed.some((each) => each === document.activeElement || each.value !== each.defaultValue);
  return isTyping || main.querySelector("details[open] form") !== null;
}

function wait(seconds) {
  clearTimeout(timer);
  timer = setTimeout(look, seconds * 1000);
}

document.addEventListener("live:changed", look);
wait(Number(main.dataset.again));
