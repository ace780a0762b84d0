// Says that a helper is there, each five seconds, as long as his page is open: in a worker, since browsers let a hidden page's own clock sleep.

const EACH_SECONDS = 5;
const ASK_SECONDS = 4; // how long an answer may take

async function say() {
  let told = { isUp: false };
  try {
    const answer = await fetch("/helper/here", {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: "",
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_SECONDS * 1000),
    });
    if (answer.ok) told = { isUp: true, ...(await answer.json()) };
    else if (answer.status < 500) told = { isUp: true, stamp: "", is_on: false };
  } catch {
    // the line is down: whoever waits for him is told by the store's own clock
  }
  postMessage(told);
}

setInterval(say, EACH_SECONDS * 1000);
say();
