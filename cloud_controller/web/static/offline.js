// Lists the tickets that this browser keeps, on the page that is shown where there is no network.

const OURS = "rusuban-ticket-";
const section = document.querySelector("[data-kept]");

async function list() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(OURS)) continue;
    const path = name.slice(name.indexOf(":") + 1);
    const answer = await caches.match(path, { ignoreVary: true });
    if (answer) add(path, new DOMParser().parseFromString(await answer.text(), "text/html"));
  }
}

function add(path, ticket) {
  const says = (selector) => ticket.querySelector(selector)?.firstChild?.textContent.trim() ?? "";
  const link = document.createElement("a");
  link.className = "button plain";
  link.href = path;
  link.textContent = says(".name") || ticket.title;
  const when = document.createElement("small");
  when.textContent = says(".stub dd");
  link.append(" ", when);
  section.querySelector("div").append(link);
  section.hidden = false;
}

if (self.caches) list();
addEventListener("online", () => location.reload());
