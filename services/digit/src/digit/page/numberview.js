/** A number as read: its text, each digit with how sure it is, and boxes over the drawing. */

import { h, mark, plural, show } from "../ui/script.js";
import { formatSure } from "./digitview.js";

const SURE = 0.9;

export class NumberView {
  constructor(place, boxes) {
    this.place = place;
    this.boxes = boxes;
    this.clear();
  }

  clear() {
    this.showNothing("Each stroke is read when it ends: write digits side by side.");
  }

  showNothing(why) {
    this.place.dataset.state = "blank";
    show(this.boxes);
    show(this.place, h("p", { class: "number-text", "aria-hidden": "true" }, "–"), h("p", { class: "hint" }, why));
  }

  /** Boxes of what was there before would lie beside what is being drawn. */
  growing() {
    show(this.boxes);
  }

  /** Shows an answer (null: no digits) for a canvas and returns it in words. */
  show(answer, canvas) {
    if (!answer) {
      this.showNothing("No digits were found.");
      return "No digits";
    }
    const { text, digits, left_out: leftOut } = answer;
    this.place.dataset.state = "number";
    show(this.place, h("p", { class: "number-text" }, text), digitList(digits), leftOutText(leftOut.length));
    show(
      this.boxes,
      digits.map(({ prediction, bbox }) => box(bbox, canvas, String(prediction))),
      leftOut.map((bbox) => box(bbox, canvas)),
    );
    return `${text}, ${plural(digits.length, "digit")}`;
  }
}

function digitList(digits) {
  const item = (digit) => h("li", null, h("strong", null, String(digit.prediction)), sureness(digit));
  return h("ol", { class: "number-digits", "aria-label": "Each digit and how sure it is" }, digits.map(item));
}

function sureness({ confidence, is_digit: isDigit }) {
  if (!isDigit) return mark("warning", "no digit?");
  const text = formatSure(confidence);
  return confidence < SURE ? mark("minor", text) : h("span", { class: "muted" }, text);
}

const leftOutText = (count) => count > 0 && h("p", { class: "hint" }, `${plural(count, "mark")} left out: no digit.`);

/** A box in the picture's pixels, placed over the drawing in percent of it; one without text marks what was left out. */
function box([x, y, width, height], canvas, text = null) {
  const element = h("div", { class: text === null ? "box left-out" : "box" }, text !== null && h("span", null, text));
  element.style.left = `${(100 * x) / canvas.width}%`;
  element.style.top = `${(100 * y) / canvas.height}%`;
  element.style.width = `${(100 * width) / canvas.width}%`;
  element.style.height = `${(100 * height) / canvas.height}%`;
  return element;
}
