/** A canvas to draw on by mouse, finger, pen and keyboard. */

import { Drawing, UNITS } from "./drawing.js";
import { paint, picture } from "./ink.js";
import { KeyPen } from "./keypen.js";

const LIGHTEST = 0.35; // of the pen's width, at no pressure
const HEAVIEST = 1.65; // at full pressure; half of it is the width itself
const NEAREST = 2; // units; points nearer than this only cost time

export class Pad {
  /** `ratio` is width to height; `changed(how)` hears "stroke" while one grows, "end", "edit" (undo, redo, clear) and "paper". */
  constructor(canvas, ratio, changed) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.ratio = ratio;
    this.changed = changed;
    this.drawing = new Drawing();
    this.look = { paper: "white", colour: "ink", width: 70 };
    this.pointer = null;
    this.frame = null;
    this.listen();
    this.keyPen = new KeyPen(this);
    new ResizeObserver(() => this.fit()).observe(canvas);
  }

  get isBlank() {
    return this.drawing.isBlank;
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(name, (event) => event.pointerId === this.pointer && this.end());
  }

  /** Gives the canvas as many pixels as the screen has under it. */
  fit() {
    const { clientWidth, clientHeight } = this.canvas;
    const [width, height] = [clientWidth, clientHeight].map((size) => Math.round(size * devicePixelRatio));
    if (!width || (this.canvas.width === width && this.canvas.height === height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.repaint();
  }

  get scale() {
    return this.canvas.height / UNITS;
  }

  /** Paints with the screen's next frame: a pointer may move more often than that. */
  paintSoon() {
    this.frame ??= requestAnimationFrame(() => this.repaint());
  }

  repaint() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    paint(this.context, { paper: this.look.paper, strokes: this.drawing.strokes }, this.scale);
    this.keyPen.place();
  }

  /** Changes paper, colour or width; what is drawn already keeps its pen but follows the paper. */
  set(look) {
    Object.assign(this.look, look);
    this.canvas.parentElement.dataset.paper = this.look.paper;
    this.repaint();
    if (look.paper) this.changed("paper");
  }

  /** Runs undo, redo or clear. */
  edit(name) {
    this.pointer = null;
    this.drawing[name]();
    this.repaint();
    this.changed("edit");
  }

  down(event) {
    if (this.pointer !== null || event.button !== 0) return; // a second finger is a resting hand
    this.keyPen.lift();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.pointOf(event));
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.extend((events.length ? events : [event]).map((each) => this.pointOf(each)));
  }

  begin(point) {
    this.drawing.begin(point, this.look.colour);
    this.paintSoon();
    this.changed("stroke");
  }

  extend(points) {
    const { current } = this.drawing;
    const before = current.points.length;
    for (const point of points) {
      const last = current.points.at(-1);
      if (Math.hypot(point.x - last.x, point.y - last.y) >= NEAREST) this.drawing.extend(point);
    }
    if (current.points.length === before) return;
    this.paintSoon();
    this.changed("stroke");
  }

  end() {
    if (!this.drawing.current) return;
    this.pointer = null;
    this.drawing.end();
    this.changed("end");
  }

  /** A pointer's place in units; a pen's pressure makes its line thinner or broader. */
  pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const unit = UNITS / box.height;
    const pressed = event.pointerType === "pen" && event.pressure > 0;
    const factor = pressed ? LIGHTEST + (HEAVIEST - LIGHTEST) * event.pressure : 1;
    return this.point((event.clientX - box.left) * unit, (event.clientY - box.top) * unit, factor);
  }

  point(x, y, factor = 1) {
    return { x, y, width: this.look.width * factor };
  }

  /** The drawing as a canvas of `height` pixels. */
  picture(height) {
    return picture({ paper: this.look.paper, strokes: this.drawing.strokes }, this.ratio, height);
  }
}
