/** What lies beside the pad: undo, redo, clear, the pen's size and colour, the paper; and their keys. */

import { h, show } from "../ui/script.js";
import { PAPERS, PENS } from "./ink.js";

const SIZE_STEP = 10;
const SIZES = { digit: 70, number: 50 };

export class Tools {
  constructor(draw) {
    this.draw = draw;
    this.size = document.querySelector("#draw-size");
    this.paper = document.querySelector("#draw-paper");
    this.buttons = Object.fromEntries(
      ["undo", "redo", "clear", "save"].map((name) => [name, document.querySelector(`#draw-${name}`)]),
    );
    this.fill();
    this.listen();
    for (const [mode, width] of Object.entries(SIZES)) draw.modes[mode].pad.look.width = width;
  }

  /** Takes the paper that suits the screen, until somebody chooses another. */
  start() {
    this.usePaper(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "white");
  }

  get pads() {
    return Object.values(this.draw.modes).map(({ pad }) => pad);
  }

  fill() {
    const option = ([value, { name }]) => h("option", { value }, name);
    show(this.paper, Object.entries(PAPERS).map(option));
    document.querySelector("#draw-pens").append(...Object.entries(PENS).map(swatch));
  }

  listen() {
    for (const name of ["undo", "redo", "clear"]) this.pressed(name, () => this.draw.pad.edit(name));
    this.pressed("save", () => this.draw.save());
    this.size.addEventListener("input", () => this.resize(Number(this.size.value)));
    this.paper.addEventListener("change", () => this.usePaper(this.paper.value));
    document.querySelector("#draw-pens").addEventListener("change", ({ target }) => {
      for (const pad of this.pads) pad.look.colour = target.value;
    });
    addEventListener("keydown", (event) => this.key(event));
    document.querySelector("#draw-mode").addEventListener("change", ({ target }) => {
      this.draw.app.tabs.open("draw", target.value === "number" ? "number" : "");
    });
  }

  pressed(name, action) {
    const control = this.buttons[name];
    control.addEventListener("click", () => control.getAttribute("aria-disabled") === "true" || action());
  }

  /** Ctrl + Z works wherever nobody types; single keys only on the pad. */
  key(event) {
    if (this.draw.app.tabs.current !== "draw" || event.target.matches?.("input[type=password]")) return;
    const name = event.ctrlKey || event.metaKey ? this.chord(event) : this.single(event);
    if (!name) return;
    event.preventDefault();
    if (name === "thinner" || name === "broader") {
      this.resize(Number(this.size.value) + (name === "broader" ? SIZE_STEP : -SIZE_STEP));
    } else this.draw.pad.edit(name);
  }

  chord(event) {
    const key = event.key.toLowerCase();
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return key === "y" ? "redo" : null;
  }

  single(event) {
    if (event.target !== this.draw.pad.canvas || event.altKey) return null;
    return { "[": "thinner", "]": "broader", Delete: "clear", Backspace: "clear" }[event.key] ?? null;
  }

  resize(width) {
    this.size.value = width;
    this.draw.pad.look.width = Number(this.size.value);
    this.follow(this.draw.pad);
  }

  usePaper(paper) {
    this.paper.value = paper;
    for (const pad of this.pads) pad.set({ paper });
  }

  /** Shows what can be done with a pad now. */
  follow(pad) {
    const { drawing, look } = pad;
    disable(this.buttons.undo, !drawing.past.length);
    disable(this.buttons.redo, !drawing.future.length);
    disable(this.buttons.clear, pad.isBlank);
    disable(this.buttons.save, pad.isBlank);
    this.size.value = look.width;
    const dot = document.querySelector("#draw-size-dot");
    dot.style.width = dot.style.height = `${Math.max(3, (26 * look.width) / Number(this.size.max))}px`;
  }
}

/** A button that goes dead under the keyboard's focus would lose it: it says that it is disabled and does nothing. */
function disable(control, isDisabled) {
  control.setAttribute("aria-disabled", String(isDisabled));
}

function swatch([value, name]) {
  const input = h("input", { type: "radio", name: "pen", value, checked: value === "ink", class: "visually-hidden" });
  return h(
    "label",
    { title: name },
    input,
    h("span", { class: `swatch ${value}`, "aria-hidden": "true" }),
    h("span", { class: "visually-hidden" }, name),
  );
}
