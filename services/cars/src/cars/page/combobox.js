/** A text field that offers what fits what is typed (WAI-ARIA's combobox with a list); any text may stay. */

import { h, labelled, show } from "../ui/script.js";

const MOST_SHOWN = 50;

export class Combobox {
  constructor(name, label, attributes = {}) {
    const id = `${name}-options`;
    this.options = [];
    this.found = [];
    this.at = -1;
    this.input = h("input", {
      id: name,
      name,
      type: "text",
      role: "combobox",
      autocomplete: "off",
      spellcheck: "false",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": id,
      ...attributes,
    });
    this.list = h("ul", { id, role: "listbox", "aria-label": "Suggestions", class: "options", hidden: true });
    this.element = h("div", { class: "combobox" }, labelled(label, this.input), this.list);
    this.listen();
  }

  offer(options) {
    this.options = options;
  }

  listen() {
    const { input, list } = this;
    input.addEventListener("input", () => this.open());
    input.addEventListener("click", () => this.open());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.press(event));
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.choose([...list.children].indexOf(option));
    });
  }

  get isOpen() {
    return !this.list.hidden;
  }

  open() {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (option) => words.every((word) => option.toLowerCase().includes(word));
    this.found = this.options.filter(fits).slice(0, MOST_SHOWN);
    this.at = -1;
    const item = (text, index) =>
      h("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false" }, text);
    show(this.list, this.found.map(item));
    this.list.hidden = !this.found.length;
    this.tell();
  }

  close() {
    this.list.hidden = true;
    this.at = -1;
    this.tell();
  }

  choose(index) {
    this.input.value = this.found[index];
    this.close();
  }

  press(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && this.at >= 0) this.choose(this.at);
    else if (event.key === "Escape" && this.isOpen) this.close();
    else return;
    event.preventDefault();
  }

  move(step) {
    if (!this.isOpen) this.open();
    const { length } = this.found;
    if (!length) return;
    this.at = this.at < 0 && step < 0 ? length - 1 : (this.at + step + length) % length;
    this.tell();
  }

  /** Says which option is meant, to eyes and to screen readers. */
  tell() {
    const { input, list, at } = this;
    input.setAttribute("aria-expanded", String(this.isOpen));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${list.id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }
}
