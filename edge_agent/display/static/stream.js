// The stream of events: it comes again by itself, and says so while it is away.

const AGAIN_MS = 2000;
const SILENT_MS = 25000; // two beats and a half: a line that is open and dead is not open

export function listen(hears, device = "") {
  let build = "";
  let source = null;
  let heardAt = performance.now();

  const open = () => {
    source?.close();
    heardAt = performance.now();
    source = new EventSource(`/events${device && `?device=${encodeURIComponent(device)}`}`);
    for (const name of ["page", "picture", "all", "left", "scanner"]) {
      source.addEventListener(name, (event) => {
        heardAt = performance.now();
        const told = JSON.parse(event.data);
        if (name === "page") {
          if (build && build !== told.build) location.reload();
          build = told.build;
          hears.away(false);
        }
        hears[name](told);
      });
    }
    source.addEventListener("error", () => {
      hears.away(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
    });
  };

  setInterval(() => {
    if (performance.now() - heardAt > SILENT_MS) {
      hears.away(true);
      open();
    }
  }, AGAIN_MS);
  open();
}

export async function press(key, name, body) {
  try {
    const answer = await fetch(`/device/${encodeURIComponent(key)}/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
