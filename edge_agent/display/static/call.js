// A call with a helper: who is there, what was written, and what can be said by one touch.

export const LINE_MAX = 500;

// The helpers who are there now, each a button that says all there is to know before it is touched.
export function drawnHelpers(helpers, { label, page }, choose) {
  const list = element("div", "helpers");
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", label("helpers_here"));
  for (const helper of helpers) {
    const button = element("button", "plain helper");
    button.type = "button";
    button.dataset.helper = helper.helper;
    const title = helper.title[page.language] || helper.title.ja || helper.title.en;
    button.append(element("b", "name", helper.name));
    if (title) button.append(element("span", "what", title));
    button.append(element("small", "facts", [spoken(helper.languages), priceOf(helper, { label, page })].filter(Boolean).join(" · ")));
    button.addEventListener("click", () => choose(helper));
    list.append(button);
  }
  return list;
}

export function priceOf(helper, { label, page }) {
  if (!helper.price_cents) return label("helper_free");
  return moneyOf(helper.price_cents, helper.currency, page.language);
}

export function moneyOf(cents, currency, language) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  return format.format(cents / 10 ** digits);
}

// Each language in its own words: who looks for his own finds it.
function spoken(languages) {
  return languages.map((each) => new Intl.DisplayNames([each], { type: "language" }).of(each)).join(", ");
}

export function isLive(call) {
  return Boolean(call) && call.state !== "ended";
}

export function writtenByHelper(call) {
  return call ? call.lines.filter((each) => each.by === "helper").length : 0;
}

export function stateOf(call, isReached, { label, words }) {
  const name = call.name;
  if (call.state === "ended") return `${words(call.over).what} ${words(call.over).next}`;
  if (!isReached) return label("call_away");
  if (call.state === "open") return label("call_open", { name });
  if (!call.is_told) return label("call_unsent", { name });
  if (call.place > 0) return label("call_place", { name, n: call.place });
  return label("call_waiting", { name });
}

// The call itself; made once, then only what is new is added, so that nobody loses what he types.
export class Call {
  #parts = null;
  #call = "";

  // `does` has: send(text) → whether it was taken, hide(), end(), again().
  draw(dialog, { key: device, helping }, speaks, does) {
    const call = helping.call;
    const key = `${call.call} ${speaks.page.language}`;
    if (this.#call !== key || !dialog.contains(this.#parts.log)) {
      this.#call = key;
      this.#parts = made(call, device, speaks, does);
      dialog.replaceChildren(...this.#parts.all);
    }
    this.#update(call, helping.is_reached, speaks);
    return this.#parts;
  }

  // Why a line was not taken, until something else is to be said.
  say(why) {
    this.#parts.state.textContent = why;
    this.#parts.state.dataset.state = "away";
  }

  #update(call, isReached, speaks) {
    const { state, lines, log, empty, tools } = this.#parts;
    const said = stateOf(call, isReached, speaks);
    if (state.textContent !== said) state.textContent = said;
    state.dataset.state = isReached || call.state === "ended" ? call.state : "away";
    const wanted = call.lines.map((line) => `${line.by} ${line.is_told} ${line.text}`);
    let isNew = false;
    call.lines.forEach((line, nth) => {
      const there = lines.children[nth];
      if (there?.dataset.line === wanted[nth]) return;
      const drawn = drawnLine(line, call.name, speaks.label);
      drawn.dataset.line = wanted[nth];
      if (there) there.replaceWith(drawn);
      else lines.append(drawn);
      isNew = true;
    });
    while (lines.children.length > call.lines.length) lines.lastChild.remove();
    const isOver = call.state === "ended";
    empty.hidden = isOver || call.lines.length > 0; // once it is over nobody reads what is written
    if (isNew) log.scrollTop = log.scrollHeight;
    for (const each of tools.open) each.hidden = isOver;
    for (const each of tools.over) each.hidden = !isOver;
  }
}

function made(call, device, speaks, does) {
  const { label, page } = speaks;
  const heading = element("h2", "", call.name);
  heading.id = "panel-title";
  const state = element("p", "state");
  state.setAttribute("role", "status");
  const time = element("span", "time");
  time.dataset.left = device;
  const top = element("div", "head");
  top.append(heading, time);
  const lines = element("ol", "lines");
  const empty = element("p", "empty", label("call_empty", { name: call.name }));
  const log = element("div", "log");
  log.setAttribute("role", "log");
  log.setAttribute("aria-label", label("call_lines"));
  log.tabIndex = 0;
  log.append(empty, lines);
  const field = element("input");
  field.type = "text";
  field.maxLength = LINE_MAX;
  field.autocomplete = "off";
  field.enterKeyHint = "send";
  field.setAttribute("aria-label", label("call_write", { name: call.name }));
  field.placeholder = label("call_write", { name: call.name });
  const send = async (text) => {
    if (!text.trim()) return;
    if (await does.send(text)) {
      if (field.value === text) field.value = "";
    }
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) send(field.value);
  });
  const write = element("div", "write");
  write.append(field, button(label("call_send"), "main", () => send(field.value)));
  const ready = element("div", "ready");
  ready.setAttribute("role", "group");
  ready.setAttribute("aria-label", label("call_ready"));
  ready.append(...page.ready[page.language].map((each) => button(each, "plain", () => send(each))));
  const end = button(label("call_end"), "plain", does.end);
  const again = button(label("call_again"), "main", does.again);
  const hide = button(label("call_hide"), "plain back", does.hide);
  const foot = element("div", "foot");
  foot.append(end, again, hide);
  const tools = { open: [ready, write, end], over: [again] };
  return { all: [top, state, log, ready, write, foot], state, lines, log, empty, tools, field };
}

function drawnLine(line, name, label) {
  const isMine = line.by === "customer";
  const item = element("li", isMine ? "mine" : "theirs");
  item.append(element("b", "who", isMine ? label("call_you") : name), element("p", "", line.text));
  if (!line.is_told) item.append(element("small", "", label("call_on_its_way")));
  return item;
}

function element(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}

function button(text, kind, act) {
  const made = element("button", kind, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
