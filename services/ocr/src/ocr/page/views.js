/** What is shown of a page: its picture, or its text where it was found. */

import { h } from "../ui/script.js";

const VIEWS = [
  ["picture", "Picture"],
  ["text", "Text"],
];

let count = 0;

export class Views {
  /** `chosen(name)` hears "picture" or "text". */
  constructor(chosen) {
    this.name = VIEWS[0][0];
    this.chosen = chosen;
    const group = `view-${(count += 1)}`;
    const legend = h("legend", { class: "visually-hidden" }, "What is shown of the page");
    this.element = h(
      "fieldset",
      { class: "segments views", hidden: true },
      legend,
      VIEWS.map(([name, text]) => this.choice(group, name, text)),
    );
  }

  choice(group, name, text) {
    const input = h("input", {
      type: "radio",
      name: group,
      value: name,
      checked: name === this.name,
      onchange: () => this.choose(name),
    });
    return h("label", null, input, text);
  }

  choose(name) {
    this.name = name;
    this.chosen(name);
  }
}
