// What a button opens: a question with its answers, done by one touch and said in words.

import { svg } from "./art.js";
import { press } from "./stream.js";

const CLOSE_MS = 4500; // how long what became of it stays: as long as a yes on the screen
const LEAVE_MS = 45000; // nobody has touched it: whoever opened it has gone

export class Panel {
  #dialog;
  #say;
  #speaks = null;
  #open = null;
  #key = "";
  #session = null;
  #timer = 0;

  constructor(dialog, say) {
    this.#dialog = dialog;
    this.#say = say;
    dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#open = null;
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      this.#later(LEAVE_MS);
    });
  }

  speak(speaks) {
    this.#speaks = speaks;
    if (this.#open) this.#dialog.close();
  }

  // What was asked of a session is not asked of the next one.
  follow(picture) {
    if (!this.#open || picture.key !== this.#key) return;
    if (this.#open !== "told" && !picture.buttons.includes(this.#open)) this.#dialog.close();
    else if (this.#open !== "told" && picture.session !== this.#session) this.#dialog.close();
  }

  open(name, picture) {
    this.#key = picture.key;
    this.#session = picture.session;
    this.#open = name;
    if (name === "extend") this.#askLonger();
    if (name === "end") this.#askEnd();
    if (name === "help") this.#askHelp();
    if (name === "confirm") this.#askCode();
  }

  async #askLonger() {
    const { label, words } = this.#speaks;
    this.#show(label("extend_title"), label("asks"), []);
    const offer = await press(this.#key, "offer", { session: this.#session });
    if (this.#open !== "extend") return;
    if (!offer?.choices?.length) {
      this.#tell(offer?.words);
      return;
    }
    if (offer.pay.length) {
      this.#showPaying(offer);
      return;
    }
    const longest = Math.floor(offer.longest_seconds / 60);
    const choices = offer.choices.map((choice) => this.#choice(choice));
    const bound = offer.bound ? words(offer.bound).what : "";
    const besides = `${label("until", { n: longest })} ${bound}`;
    this.#show(label("extend_title"), label("extend_how"), [...choices, this.#back()], besides);
  }

  // What costs money is paid on a phone: its page as a code, and what can be had there.
  #showPaying(offer) {
    const { label, words, page } = this.#speaks;
    const { what, next } = words(offer.pay_words);
    const code = document.createElement("div");
    code.className = "paying";
    const list = document.createElement("ul");
    for (const choice of offer.choices) {
      const item = document.createElement("li");
      item.textContent = `${longer(choice.seconds, label)}  ${money(choice, page.language)}`;
      list.append(item);
    }
    code.append(drawnCode(offer.pay, what), list);
    this.#show(what, next, [code, this.#back()]);
  }

  #choice(choice) {
    const { label, page } = this.#speaks;
    const button = this.#button(longer(choice.seconds, label), "main choice", () =>
      this.#do("extend", { session: this.#session, seconds: choice.seconds }),
    );
    const price = document.createElement("small");
    price.textContent = choice.price_cents ? money(choice, page.language) : label("no_charge");
    button.append(price);
    return button;
  }

  #askEnd() {
    const { label } = this.#speaks;
    this.#show(label("end_title"), label("end_how"), [
      this.#button(label("end_no"), "plain", () => this.#dialog.close()),
      this.#button(label("end_yes"), "main", () => this.#do("end", { session: this.#session })),
    ]);
  }

  #askHelp() {
    const { label, page } = this.#speaks;
    const about = ["device", "person", "other"].map((each) =>
      this.#button(label(`help_${each}`), "main", () => this.#do("help", { about: each })),
    );
    const phone = page.phone ? label("help_phone", { phone: page.phone }) : "";
    this.#show(label("help_title"), label("help_how"), [...about, this.#back()], phone);
  }

  // Digits to touch, and a field for a keyboard: a screen at a door has mostly none.
  #askCode() {
    const { label } = this.#speaks;
    const field = document.createElement("input");
    field.type = "text";
    field.inputMode = "numeric";
    field.autocomplete = "off";
    field.maxLength = 32;
    field.setAttribute("aria-label", label("confirm_title"));
    const go = () => field.value && this.#do("confirm", { code: field.value });
    field.addEventListener("keydown", (event) => event.key === "Enter" && go());
    const keys = [..."1234567890"].map((digit) =>
      this.#button(digit, "plain key", () => (field.value += digit)),
    );
    keys.splice(9, 0, this.#button(label("clear"), "plain key word", () => (field.value = field.value.slice(0, -1))));
    keys.push(this.#button(label("confirm_go"), "main key word", go));
    const pad = document.createElement("div");
    pad.className = "pad";
    pad.append(field, ...keys);
    this.#show(label("confirm_title"), label("confirm_how"), [pad, this.#back()]);
    field.focus();
  }

  async #do(name, body) {
    const { label } = this.#speaks;
    this.#open = "told";
    this.#show(this.#dialog.querySelector("h2").textContent, label("asks"), []);
    const answer = await press(this.#key, name, body);
    if (this.#open === "told") this.#tell(answer?.words);
  }

  #tell(said) {
    const { words, label } = this.#speaks;
    const { what, next } = said ? words(said) : { what: label("lost_what"), next: label("lost_next") };
    this.#open = "told";
    this.#show(what, next, [this.#back()]);
    this.#say(`${what} ${next}`);
    this.#later(CLOSE_MS);
  }

  #show(title, text, buttons, besides = "") {
    const heading = document.createElement("h2");
    heading.id = "panel-title";
    heading.textContent = title;
    const said = document.createElement("p");
    said.textContent = text;
    const more = document.createElement("p");
    more.className = "besides";
    more.textContent = besides;
    more.hidden = !besides;
    const group = document.createElement("div");
    group.className = "answers";
    group.append(...buttons);
    this.#dialog.replaceChildren(heading, said, more, group);
    if (!this.#dialog.open) this.#dialog.showModal();
    (group.querySelector("button") ?? this.#dialog).focus();
    this.#later(LEAVE_MS);
  }

  #later(milliseconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dialog.close(), milliseconds);
  }

  #back() {
    return this.#button(this.#speaks.label("back"), "plain back", () => this.#dialog.close());
  }

  #button(text, kind, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = kind;
    button.textContent = text;
    button.addEventListener("click", act);
    return button;
  }
}

function drawnCode(rows, said) {
  const cells = [];
  rows.forEach((row, y) => {
    for (const run of row.matchAll(/1+/g)) {
      cells.push(svg("rect", { x: run.index, y, width: run[0].length, height: 1 }));
    }
  });
  const size = rows.length;
  return svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": said, class: "paycode" }, ...cells);
}

function longer(seconds, label) {
  return seconds < 60 ? label("and_seconds", { n: seconds }) : label("and", { n: Math.round(seconds / 60) });
}

function money(choice, language) {
  const format = new Intl.NumberFormat(language, { style: "currency", currency: choice.currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  return format.format(choice.price_cents / 10 ** digits);
}
