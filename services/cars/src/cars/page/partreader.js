/** The picture as large as there is room, on which somebody can draw the part to read anew. */

import { ProblemError, api, busy, button, h, labelled, problemBox, s, show } from "../ui/script.js";
import { answerView } from "./answer.js";
import { loadPicture, pictureOf } from "./picture.js";
import { between, fitted, rectangles } from "./region.js";

const SIDES = { x: "Left", y: "Top", width: "Width", height: "Height" };
const LEAST_DRAG = 4; // pixels of the screen; less is a click

export class PartReader {
  /** `suggested(label)` hears what somebody takes over from the part. */
  constructor(file, suggested) {
    Object.assign(this, { file, suggested, from: null });
    this.part = file.region ?? { x: 0, y: 0, width: file.width, height: file.height };
    this.layer = s("svg", { viewBox: `0 0 ${file.width} ${file.height}`, "aria-hidden": "true" });
    const picture = h("div", { class: "framed large" }, pictureOf(file, "image", file.filename), this.layer);
    picture.style.aspectRatio = `${file.width} / ${file.height}`;
    picture.style.maxWidth = `calc(70vh * ${file.width / file.height})`;
    this.picture = picture;
    this.result = h("div", { "aria-live": "polite" });
    this.fields = Object.entries(SIDES).map(([side, word]) => this.field(side, word));
    this.element = h("div", { class: "stack" }, h("div", { class: "stage" }, picture), this.controls(), this.result);
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
      h("p", { class: "hint" }, "Drag on the picture, or type pixels, to have another part read."),
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

  async read() {
    const { x, y, width, height } = this.part;
    const form = new FormData();
    show(this.result);
    try {
      form.append("file", await loadPicture(this.file), this.file.filename);
      form.append("bbox", [x, y, width, height].join(","));
      const answer = await api("recognize", { method: "POST", body: form });
      show(this.result, this.view(answer));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.result, problemBox(error));
    }
  }

  view(answer) {
    const first = answer.predictions[0];
    return h(
      "section",
      { class: "stack part-answer", "aria-label": "What this part shows" },
      h("h3", null, "What this part shows"),
      answerView(answer),
      h("p", { class: "hint" }, "This is not kept. Take it over as a correction where it is right."),
      first && button(`Take over: ${first.label}`, () => this.suggested(first.label), "small"),
    );
  }
}
