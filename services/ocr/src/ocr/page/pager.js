/** One page of several: back, forth, or by its number. */

import { button, h } from "../ui/script.js";

let count = 0;

export class Pager {
  /** `turned()` hears that `index`, of the pages that are there, has changed. */
  constructor(turned) {
    this.turned = turned;
    this.index = 0;
    this.numbers = [];
    this.before = button("‹", () => this.go(this.index - 1), "small", "Previous page");
    this.after = button("›", () => this.go(this.index + 1), "small", "Next page");
    const id = `pager-${(count += 1)}`;
    this.input = h("input", { type: "number", id, min: 1, inputmode: "numeric" });
    this.input.addEventListener("change", () => this.goTo(Number(this.input.value)));
    this.of = h("span");
    const label = h("label", { for: id }, "Page");
    this.element = h(
      "nav",
      { class: "pager", "aria-label": "Turn pages" },
      this.before,
      label,
      this.input,
      this.of,
      this.after,
    );
  }

  /** Takes the numbers of the pages that are there, out of `total`. */
  update(numbers, total) {
    this.numbers = numbers;
    this.element.hidden = Math.max(numbers.length, total ?? 0) < 2;
    this.of.textContent = `of ${Math.max(numbers.at(-1) ?? 0, total ?? 0)}`;
    this.draw();
  }

  draw() {
    const { index, numbers } = this;
    if (document.activeElement !== this.input) this.input.value = numbers[index] ?? "";
    this.before.disabled = index <= 0;
    this.after.disabled = index >= numbers.length - 1;
  }

  go(index) {
    this.index = Math.max(0, Math.min(index, this.numbers.length - 1));
    this.input.value = this.numbers[this.index] ?? "";
    this.draw();
    this.turned();
  }

  /** The page of this number, or the last one before it that is there. */
  goTo(number) {
    const next = this.numbers.findIndex((each) => each > number);
    this.go(next < 0 ? this.numbers.length - 1 : next - 1);
  }
}
