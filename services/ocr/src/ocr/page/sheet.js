/** A page with its boxes: over its picture, or over its text, which is set where it was found. */

import { h, s, show } from "../ui/script.js";
import { bandOf, percent } from "./confidence.js";
import { boundsOf, placeOf, pointsOf } from "./shapes.js";

const TEXT_SHARE = 0.78; // of a line's height that its letters take
const BASELINE = 0.79; // of its height, from the top
const MOST_ENLARGED = 4; // beyond it a small picture only shows its pixels
const ROOM_PX = 8; // between a box and what is said of it

export class Sheet {
  /** Begins as white paper; `linked` hears of `pointed(index)` and `chosen(index)`. */
  constructor(page, linked) {
    this.page = page;
    this.text = null;
    this.boxes = page.lines.map((line, index) => boxView(line, index));
    this.tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
    this.layer = s(
      "svg",
      { viewBox: `0 0 ${page.width} ${page.height}`, role: "listbox", "aria-label": `Boxes on page ${page.number}` },
      this.boxes,
    );
    this.element = h("div", { class: "sheet" }, this.layer, this.tip);
    this.element.style.aspectRatio = `${page.width} / ${page.height}`;
    linked.listen(this.layer);
    this.layer.addEventListener("pointerover", ({ target }) => this.tell(target));
  }

  /** Takes the page's picture, an `<img>`. */
  setPicture(image) {
    image.alt = `Page ${this.page.number}`;
    this.element.prepend(image);
  }

  /** Shows "picture", or "text": a readable likeness of the page, with each line's text in its box. */
  show(view) {
    const isText = view === "text";
    if (isText && !this.text) {
      this.text = s("g", { class: "set-text", "aria-hidden": "true" }, this.page.lines.map(setLine));
      this.layer.prepend(this.text);
    }
    this.element.classList.toggle("likeness", isText);
  }

  /** "width" fills what there is, a number is CSS pixels per pixel of the page. */
  zoom(scale) {
    const { style } = this.element;
    style.width = scale === "width" ? "100%" : `${this.page.width * scale}px`;
    style.maxWidth = scale === "width" ? `${this.page.width * MOST_ENLARGED}px` : "none";
  }

  /** CSS pixels per pixel of the page, as it is shown now. */
  get scale() {
    return this.element.clientWidth / this.page.width;
  }

  /** Shows which line is meant; none for null. */
  point(index) {
    for (const box of this.boxes) box.classList.toggle("on", Number(box.dataset.line) === index);
    if (index === null) this.tip.hidden = true;
    else this.say(this.page.lines[index]);
  }

  tell(target) {
    const word = target.closest("[data-word]");
    if (!word) return;
    const line = this.page.lines[Number(target.closest("[data-line]").dataset.line)];
    this.say(line.words[Number(word.dataset.word)]);
  }

  /** Says the text and confidence of a line or word beside its box, above it where there is room. */
  say({ text, confidence, bbox }) {
    show(this.tip, h("strong", { dir: "auto" }, text || "(not read)"), " ", h("span", null, percent(confidence)));
    this.tip.hidden = false;
    const { scale, tip } = this;
    const box = boundsOf(bbox);
    const room = this.element.clientWidth - tip.offsetWidth;
    const above = box.y * scale - tip.offsetHeight - ROOM_PX;
    tip.style.left = `${Math.max(0, Math.min(box.x * scale, room))}px`;
    tip.style.top = `${above >= 0 ? above : (box.y + box.height) * scale + ROOM_PX}px`;
  }

  /** Brings a line's box into view. */
  reveal(index) {
    this.boxes[index]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function boxView(line, index) {
  const band = bandOf(line.confidence);
  const points = pointsOf(line.bbox);
  const label = `${line.text || "not read"}, ${percent(line.confidence)}`;
  return s(
    "g",
    {
      class: `box ${band.name}`,
      role: "option",
      "aria-label": label,
      "aria-selected": "false",
      "data-line": index,
      tabindex: index ? -1 : 0,
    },
    s("polygon", { class: "halo", points }),
    s("polygon", { class: "edge", points }),
    (line.words ?? []).map((word, at) => s("polygon", { class: "word", points: pointsOf(word.bbox), "data-word": at })),
  );
}

function setLine(line) {
  const { length, height, transform } = placeOf(line.bbox);
  const size = { "font-size": height * TEXT_SHARE, textLength: length, lengthAdjust: "spacingAndGlyphs" };
  return s("text", { y: height * BASELINE, transform, ...size }, line.text);
}
