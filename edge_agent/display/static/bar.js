// The buttons at the foot: always in the same order, and only what can be done now.

const ORDER = ["extend", "confirm", "end", "help"];
const MAIN = new Set(["extend", "confirm"]);

export function bar(element, buttons, textOf, press) {
  const wanted = ORDER.filter((each) => buttons.includes(each));
  const there = [...element.children].map((each) => each.dataset.button);
  if (there.join() !== wanted.join()) {
    const focused = document.activeElement?.dataset?.button;
    element.replaceChildren(...wanted.map(made));
    if (focused) element.querySelector(`[data-button="${focused}"]`)?.focus();
  }
  for (const each of element.children) {
    each.textContent = textOf(each.dataset.button);
    each.onclick = () => press(each.dataset.button);
  }
}

function made(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.button = name;
  button.className = MAIN.has(name) ? "main" : "plain";
  return button;
}
