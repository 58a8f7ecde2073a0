/** A number as read: its text, each digit with how sure it is, and boxes over the drawing. */

import { h, mark, show } from "../ui/script.js";
import { formatSure } from "./digitview.js";

const SURE = 0.9;

export class NumberView {
  constructor(place, boxes) {
    this.place = place;
    this.boxes = boxes;
    this.clear();
  }

  clear() {
    this.place.dataset.state = "blank";
    show(this.boxes);
    show(
      this.place,
      h("p", { class: "number-text", "aria-hidden": "true" }, "–"),
      h("p", { class: "hint" }, "Each stroke is read when it ends: write digits side by side."),
    );
  }

  /** Boxes of what was there before would lie beside what is being drawn. */
  growing() {
    show(this.boxes);
  }

  /** Shows an answer (null: no ink) for a canvas and returns it in words. */
  show(answer, canvas) {
    if (!answer?.digits.length) {
      this.clear();
      return "No digits";
    }
    this.place.dataset.state = "number";
    show(this.place, h("p", { class: "number-text" }, answer.text), digitList(answer.digits));
    show(
      this.boxes,
      answer.digits.map((digit) => box(digit, canvas)),
    );
    return `${answer.text}, ${answer.digits.length} digits`;
  }
}

function digitList(digits) {
  const item = ({ prediction, confidence }) =>
    h(
      "li",
      null,
      h("strong", null, String(prediction)),
      confidence < SURE ? mark("minor", formatSure(confidence)) : h("span", { class: "muted" }, formatSure(confidence)),
    );
  return h("ol", { class: "number-digits", "aria-label": "Each digit and how sure it is" }, digits.map(item));
}

/** A box in the picture's pixels, placed over the drawing in percent of it. */
function box({ prediction, bbox: [x, y, width, height] }, canvas) {
  const element = h("div", { class: "box" }, h("span", null, String(prediction)));
  element.style.left = `${(100 * x) / canvas.width}%`;
  element.style.top = `${(100 * y) / canvas.height}%`;
  element.style.width = `${(100 * width) / canvas.width}%`;
  element.style.height = `${(100 * height) / canvas.height}%`;
  return element;
}
