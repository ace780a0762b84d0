// What a button opens: a question with its answers, done by one touch and said in words.

import { svg } from "./art.js";
import { press } from "./stream.js";
import { Call, drawnHelpers, isLive, moneyOf, priceOf } from "./call.js";

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
  #picture = null;
  #isShared = false;
  #call = new Call();

  constructor(dialog, say) {
    this.#dialog = dialog;
    this.#say = say;
    dialog.addEventListener("close", () => {
      clearTimeout(this.#timer);
      this.#open = null;
      dialog.classList.remove("calling");
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      if (this.#open !== "call") this.#later(LEAVE_MS);
    });
  }

  speak(speaks) {
    this.#speaks = speaks;
    if (this.#open) this.#dialog.close();
  }

  get isCalling() {
    return this.#open === "call";
  }

  // What was asked of a session is not asked of the next one; what is to be seen now is not hidden.
  follow(picture) {
    if (!this.#open || picture.key !== this.#key) return;
    const before = this.#picture;
    this.#picture = picture;
    const isCall = this.#open === "call" || this.#open === "choosing";
    const button = this.#open === "agreeing" ? "help" : this.#open;
    if (this.#open === "told") return;
    if ((isCall || button === "help") && picture.cue && picture.moment !== before.moment) this.#dialog.close();
    else if (isCall) this.#followCall(picture.helping);
    else if (!picture.buttons.includes(button) || picture.session !== this.#session) this.#dialog.close();
    else if (button === "help" && !isSame(before, picture)) this.#askHelp();
  }

  open(name, picture, isShared = false) {
    this.#key = picture.key;
    this.#picture = picture;
    this.#isShared = isShared;
    this.#session = picture.session;
    this.#open = name;
    if (name === "extend") this.#askLonger();
    if (name === "end") this.#askEnd();
    if (name === "help" && picture.helping.call) this.#showCall();
    else if (name === "help") this.#askHelp();
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
      item.textContent = `${longer(choice.seconds, label)}  ${moneyOf(choice.price_cents, choice.currency, page.language)}`;
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
    price.textContent = choice.price_cents ? moneyOf(choice.price_cents, choice.currency, page.language) : label("no_charge");
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

  // Whoever can be written with now, and below it the store: it can be called whoever is there.
  #askHelp() {
    const { label, page } = this.#speaks;
    const { helpers, is_reached: isReached } = this.#picture.helping;
    this.#open = "help";
    const canChoose = helpers.length > 0 && !this.#isShared;
    const kind = canChoose ? "plain" : "main";
    const about = ["device", "person", "other"].map((each) =>
      this.#button(label(`help_${each}`), kind, () => this.#do("help", { about: each })),
    );
    const phone = page.phone ? label("help_phone", { phone: page.phone }) : "";
    const focused = document.activeElement?.dataset?.helper;
    this.#show(label("help_title"), this.#whoIsThere(helpers, isReached), [...about, this.#back()], phone);
    if (!canChoose) return;
    const list = drawnHelpers(helpers, this.#speaks, (helper) => this.#askHelper(helper));
    const store = document.createElement("h3");
    store.textContent = label("helpers_store");
    const how = document.createElement("p");
    how.textContent = label("help_how");
    this.#dialog.querySelector(".besides").before(list, store, how);
    (list.querySelector(`[data-helper="${CSS.escape(focused ?? "")}"]`) ?? list.firstChild).focus();
  }

  #whoIsThere(helpers, isReached) {
    const { label } = this.#speaks;
    if (!isReached) return `${label("helpers_away")} ${label("helpers_away_next")}`;
    if (!helpers.length) return `${label("helpers_none")} ${label("help_how")}`;
    return label(this.#isShared ? "helpers_phone" : "helpers_here");
  }

  // What costs money is asked once more, with its price; what costs nothing is one touch.
  #askHelper(helper) {
    const { label } = this.#speaks;
    if (!helper.price_cents) {
      this.#choose(helper);
      return;
    }
    const price = priceOf(helper, this.#speaks);
    this.#show(label("helper_title", { name: helper.name }), label("helper_price", { price }), [
      this.#button(label("back"), "plain", () => this.#askHelp()),
      this.#button(label("helper_go", { price }), "main", () => this.#choose(helper)),
    ]);
    this.#open = "agreeing";
  }

  async #choose(helper) {
    const { label, page } = this.#speaks;
    this.#open = "choosing";
    this.#show(label("helper_calls", { name: helper.name }), label("asks"), []);
    const answer = await press(this.#key, "choose", {
      session: this.#picture.session,
      helper: helper.helper,
      price_cents: helper.price_cents,
      language: page.language,
    });
    if (this.#open === "choosing" && !answer?.is_done) this.#tell(answer?.words);
  }

  #followCall({ call }) {
    if (this.#open === "choosing" && isLive(call)) this.#showCall();
    else if (this.#open === "call" && !call) this.#dialog.close();
    else if (this.#open === "call") this.#drawCall();
  }

  #showCall() {
    this.#open = "call";
    clearTimeout(this.#timer);
    this.#dialog.classList.add("calling");
    const { field, log } = this.#drawCall();
    if (!this.#dialog.open) this.#dialog.showModal();
    log.scrollTop = log.scrollHeight;
    // On a screen that is touched, a field in focus would bring a keyboard over the ready sentences.
    (matchMedia("(pointer: coarse)").matches ? log : field).focus({ preventScroll: true });
  }

  #drawCall() {
    return this.#call.draw(this.#dialog, this.#picture, this.#speaks, {
      send: (text) => this.#send(text),
      hide: () => this.#dialog.close(),
      end: () => this.#leave(),
      again: () => this.#chooseAgain(),
    });
  }

  async #send(text) {
    const answer = await press(this.#key, "line", { call: this.#picture.helping.call?.call, text });
    if (answer?.is_done) return true;
    const { words, label } = this.#speaks;
    const why = answer?.words ? words(answer.words).what : label("lost_what");
    this.#call.say(why);
    this.#say(why);
    return false;
  }

  #leave() {
    this.#dialog.classList.remove("calling");
    this.#do("leave", { call: this.#picture.helping.call?.call });
  }

  #chooseAgain() {
    this.#dialog.classList.remove("calling");
    this.#askHelp();
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

// What is asked of a helper is asked anew only where the answer could be another.
function isSame(before, after) {
  const told = ({ helping }) => JSON.stringify([helping.helpers, helping.is_reached]);
  return told(before) === told(after);
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
