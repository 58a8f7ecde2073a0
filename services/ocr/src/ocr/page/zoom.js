/** How large a page is shown: as wide as there is room, pixel by pixel, or in steps. */

import { button, h } from "../ui/script.js";

const STEP = 1.25;
const LEAST = 0.1;
const MOST = 8;

let count = 0;

export class Zoom {
  /** `zoomed(scale)` hears "width" or CSS pixels per pixel; `scaleOf()` tells the scale as it is shown. */
  constructor(zoomed, scaleOf) {
    this.zoomed = zoomed;
    this.scaleOf = scaleOf;
    this.scale = "width";
    this.name = `zoom-${(count += 1)}`;
    this.element = h(
      "div",
      { class: "zoom" },
      h(
        "fieldset",
        { class: "segments" },
        h("legend", { class: "visually-hidden" }, "Size of the page"),
        this.choice("width", "Width", true),
        this.choice(1, "100 %", false),
      ),
      button("−", () => this.step(1 / STEP), "small", "Smaller"),
      button("+", () => this.step(STEP), "small", "Larger"),
    );
  }

  choice(scale, text, checked) {
    const input = h("input", {
      type: "radio",
      name: this.name,
      value: scale,
      checked,
      onchange: () => this.choose(scale),
    });
    return h("label", null, input, text);
  }

  step(factor) {
    this.choose(Math.max(LEAST, Math.min(this.scaleOf() * factor, MOST)));
  }

  choose(scale) {
    this.scale = scale;
    for (const input of this.element.querySelectorAll("input")) input.checked = input.value === String(scale);
    this.apply();
  }

  apply() {
    this.zoomed(this.scale);
  }
}
