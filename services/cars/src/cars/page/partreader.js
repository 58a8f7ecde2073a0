/** The picture as large as there is room, on which somebody can draw the part to read in place of the one that was. */

import { busy, button, h, labelled, s, show } from "../ui/script.js";
import { pictureOf } from "./picture.js";
import { between, fitted, rectangles } from "./region.js";

const SIDES = { x: "Left", y: "Top", width: "Width", height: "Height" };
const LEAST_DRAG = 4; // pixels of the screen; less is a click

export class PartReader {
  /** `chosen(part)` reads the part, which it hears as `x,y,width,height`, and resolves when that is done. */
  constructor(file, chosen) {
    Object.assign(this, { file, chosen, from: null });
    this.part = file.region ?? { x: 0, y: 0, width: file.width, height: file.height };
    this.layer = s("svg", { viewBox: `0 0 ${file.width} ${file.height}`, "aria-hidden": "true" });
    const picture = h("div", { class: "framed large" }, pictureOf(file, "image", file.filename), this.layer);
    picture.style.aspectRatio = `${file.width} / ${file.height}`;
    picture.style.maxWidth = `calc(70vh * ${file.width / file.height})`;
    this.picture = picture;
    this.fields = Object.entries(SIDES).map(([side, word]) => this.field(side, word));
    this.element = h("div", { class: "stack" }, h("div", { class: "stage" }, picture), this.controls());
    this.listen();
    this.draw();
  }

  field(side, word) {
    const most = side === "x" || side === "width" ? this.file.width : this.file.height;
    const least = side === "width" || side === "height" ? 1 : 0;
    return h("input", {
      id: `part-${side}`,
      name: side,
      type: "number",
      min: least,
      max: most,
      step: 1,
      "data-word": word,
    });
  }

  controls() {
    const reader = button("Read this part", () => busy(reader, () => this.read()), "small");
    const drawer = button("Draw with a finger", () => this.toggle(drawer), "small touch");
    drawer.setAttribute("aria-pressed", "false");
    return h(
      "fieldset",
      { class: "part" },
      h("legend", null, this.file.region ? "Part that was read" : "Part to read"),
      h("p", { class: "hint" }, "Drag on the picture, or type pixels: what that part shows takes the place of this result."),
      h(
        "div",
        { class: "row" },
        this.fields.map((input) => labelled(input.dataset.word, input)),
        h("div", { class: "actions" }, reader, drawer),
      ),
    );
  }

  listen() {
    this.layer.addEventListener("pointerdown", (event) => this.start(event));
    this.layer.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.layer.addEventListener(name, () => (this.from = null));
    for (const input of this.fields) input.addEventListener("change", () => this.type());
  }

  /** A finger scrolls unless somebody says that it is to draw. */
  toggle(drawer) {
    const isDrawing = this.picture.classList.toggle("drawing");
    drawer.setAttribute("aria-pressed", String(isDrawing));
  }

  start(event) {
    const isFinger = event.pointerType === "touch" && !this.picture.classList.contains("drawing");
    if (event.button !== 0 || isFinger) return;
    event.preventDefault();
    this.from = [event.clientX, event.clientY];
    this.layer.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (!this.from) return;
    const to = [event.clientX, event.clientY];
    if (Math.hypot(to[0] - this.from[0], to[1] - this.from[1]) < LEAST_DRAG) return;
    this.choose(between(this.pixelsAt(this.from), this.pixelsAt(to), this.file));
  }

  /** A place on the screen in pixels of the picture. */
  pixelsAt([clientX, clientY]) {
    const { left, top, width, height } = this.layer.getBoundingClientRect();
    return [((clientX - left) / width) * this.file.width, ((clientY - top) / height) * this.file.height];
  }

  type() {
    const typed = Object.fromEntries(this.fields.map((input) => [input.name, Number(input.value) || 0]));
    this.choose(fitted(typed, this.file));
  }

  choose(part) {
    this.part = part;
    this.draw();
  }

  draw() {
    for (const input of this.fields) input.value = this.part[input.name];
    show(this.layer, rectangles(this.part));
  }

  read() {
    const { x, y, width, height } = this.part;
    return this.chosen([x, y, width, height].join(","));
  }
}
