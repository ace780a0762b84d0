// The picture beside the words: a ring that empties, a sign, or how a ticket is held.

const SVG = "http://www.w3.org/2000/svg";
const ROUND = 2 * Math.PI * 44;

const SIGNS = {
  good: "M28 52 L44 68 L74 34",
  wait: "M50 28 V52 L66 62",
  go: "M26 50 H72 M54 32 L72 50 L54 68",
  no: "M34 34 L66 66 M66 34 L34 66",
  warn: "M50 28 V56 M50 68 V70",
  calm: "M32 50 H68",
  back: "M34 44 A21 21 0 1 1 32 62 M33 28 V45 H50",
};

const FACES = { running: { calm: SIGNS.wait }, out_of_order: { calm: SIGNS.no }, thanks: { calm: SIGNS.back } };

export function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

export function signOf(tone, face = "") {
  const path = FACES[face]?.[tone] ?? SIGNS[tone] ?? SIGNS.calm;
  return svg(
    "svg",
    { viewBox: "0 0 100 100", class: "sign-art", "aria-hidden": "true" },
    svg("circle", { cx: 50, cy: 50, r: 44, class: "disc" }),
    svg("path", { d: path, class: "stroke" }),
  );
}

export function drawArt(box, picture, label) {
  const kind = kindOf(picture);
  const wanted = kind === "sign" ? `sign ${picture.tone} ${picture.face}` : kind;
  if (box.dataset.kind !== wanted) {
    box.dataset.kind = wanted;
    box.className = `art ${kind}`;
    if (kind === "ring") box.replaceChildren(...ring());
    else if (kind === "hold") box.replaceChildren(...hold());
    else if (kind === "busy") box.replaceChildren(busy());
    else box.replaceChildren(signOf(picture.tone, picture.face));
  }
  box.querySelector("canvas")?.setAttribute("aria-label", label("preview"));
  box.querySelector(".holding")?.setAttribute("aria-label", label("how"));
}

drawArt.tick = (left, of, said) => {
  const whole = Math.ceil(left - 0.001);
  const band = document.querySelector(".ring .band");
  if (!band) return;
  band.setAttribute("stroke-dashoffset", String(ROUND * (1 - Math.min(1, left / Math.max(of, 1)))));
  const minutes = Math.floor(whole / 60);
  const digits = document.querySelector(".ring .digits");
  const text = minutes >= 60
    ? `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`
    : `${minutes}:${String(whole % 60).padStart(2, "0")}`;
  if (digits.textContent !== text) digits.textContent = text;
  digits.classList.toggle("long", text.length > 5);
  digits.setAttribute("aria-label", said);
};

function kindOf(picture) {
  if (picture.face === "running") return "ring";
  if (picture.face === "idle") return "hold";
  if (["asking", "starting", "finishing", "turnover"].includes(picture.face)) return "busy";
  return "sign";
}

function ring() {
  const digits = document.createElement("p");
  digits.className = "digits";
  digits.setAttribute("role", "timer");
  return [
    svg(
      "svg",
      { viewBox: "0 0 100 100", "aria-hidden": "true" },
      svg("circle", { cx: 50, cy: 50, r: 44, class: "track" }),
      svg("circle", {
        cx: 50, cy: 50, r: 44, class: "band", transform: "rotate(-90 50 50)",
        "stroke-dasharray": ROUND, "stroke-dashoffset": 0,
      }),
    ),
    digits,
  ];
}

function busy() {
  return svg(
    "svg",
    { viewBox: "0 0 100 100", class: "busy-art", "aria-hidden": "true" },
    svg("circle", { cx: 50, cy: 50, r: 44, class: "track" }),
    svg("circle", { cx: 50, cy: 50, r: 44, class: "turns", "stroke-dasharray": "70 210" }),
  );
}

// A phone with its code, rising to the light of a scanner; where there is a camera, what it sees.
function hold() {
  const canvas = document.createElement("canvas");
  canvas.className = "preview";
  canvas.setAttribute("role", "img");
  const cells = [];
  for (const [x, y] of CODE) cells.push(svg("rect", { x: 62 + x * 5, y: 92 + y * 5, width: 5, height: 5 }));
  return [
    canvas,
    svg(
      "svg",
      { viewBox: "0 0 180 200", class: "holding", role: "img" },
      svg("path", { d: "M40 34 L18 196 H162 L140 34 Z", class: "light" }),
      svg("rect", { x: 28, y: 8, width: 124, height: 30, rx: 12, class: "device" }),
      svg("rect", { x: 62, y: 17, width: 56, height: 12, rx: 6, class: "lens" }),
      svg(
        "g",
        { class: "phone" },
        svg("rect", { x: 48, y: 70, width: 84, height: 124, rx: 12, class: "shell" }),
        svg("rect", { x: 55, y: 84, width: 70, height: 70, rx: 5, class: "page" }),
        svg("g", { class: "code" }, ...cells),
        svg("rect", { x: 55, y: 162, width: 44, height: 6, rx: 3, class: "line" }),
        svg("rect", { x: 55, y: 174, width: 30, height: 6, rx: 3, class: "line" }),
      ),
    ),
  ];
}

const CODE = [
  "11100010111", "10101010101", "11100110111", "00010101000", "10110011010",
  "01101100101", "10011010110", "00010110001", "11100101101", "10101011010", "11100110011",
].flatMap((row, y) => [...row].flatMap((cell, x) => (cell === "1" ? [[x, y]] : [])));
