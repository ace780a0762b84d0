// All devices of a terminal beside each other: which is free, and how long each other one takes.

import { signOf } from "./art.js";

export function drawBooths(list, pictures, { label, words }) {
  const shown = [...pictures.values()].filter((each) => each.key !== "");
  list.hidden = shown.length === 0;
  const there = [...list.children].map((each) => each.dataset.key);
  if (there.join() !== shown.map((each) => each.key).join()) {
    list.replaceChildren(...shown.map(made));
  }
  shown.forEach((picture, nth) => fill(list.children[nth], picture, { label, words }));
}

function made(picture) {
  const item = document.createElement("li");
  item.dataset.key = picture.key;
  const link = document.createElement("a");
  link.href = `#${encodeURIComponent(picture.key)}`;
  for (const name of ["number", "title", "sign", "state", "time"]) {
    const part = document.createElement("span");
    part.className = name;
    link.append(part);
  }
  link.querySelector(".time").dataset.left = picture.key;
  item.append(link);
  return item;
}

function fill(item, picture, { label, words }) {
  const part = (name) => item.querySelector(`.${name}`);
  const isFree = picture.face === "idle";
  item.dataset.face = picture.face;
  item.dataset.tone = isFree ? "good" : picture.tone;
  part("number").textContent = picture.number === null ? "" : label("number", { n: picture.number });
  part("title").textContent = picture.title;
  part("state").textContent = isFree ? label("free") : words(picture.words).what;
  part("sign").replaceChildren(signOf(isFree ? "good" : picture.tone, picture.face));
}
