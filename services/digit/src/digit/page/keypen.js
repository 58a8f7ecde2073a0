/** A pen that the arrow keys move over a pad: space puts it down and lifts it. */

import { announce } from "../ui/script.js";
import { UNITS } from "./drawing.js";

const STEP = 20; // units; five times as much with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class KeyPen {
  /** The mark that shows where the pen is stands right after the canvas. */
  constructor(pad) {
    this.pad = pad;
    this.mark = pad.canvas.nextElementSibling;
    this.x = (UNITS * pad.ratio) / 2;
    this.y = UNITS / 4;
    this.isDown = false;
    pad.canvas.addEventListener("keydown", (event) => this.key(event));
    pad.canvas.addEventListener("blur", () => {
      this.lift();
      this.mark.hidden = true;
    });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.move(...arrow.map((part) => part * STEP * (event.shiftKey ? 5 : 1)));
    else if (event.key === " " && !event.repeat) this.isDown ? this.lift() : this.press();
    else if (event.key !== " ") return;
    event.preventDefault();
    this.mark.hidden = false;
    this.place();
  }

  press() {
    this.isDown = true;
    this.pad.begin(this.pad.point(this.x, this.y));
    announce("Pen down");
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.pad.end();
    announce("Pen up");
  }

  move(dx, dy) {
    this.x = Math.min(Math.max(this.x + dx, 0), UNITS * this.pad.ratio);
    this.y = Math.min(Math.max(this.y + dy, 0), UNITS);
    if (this.isDown && !this.pad.drawing.current) this.isDown = false; // an undo took the stroke away
    if (this.isDown) this.pad.extend([this.pad.point(this.x, this.y)]);
  }

  place() {
    this.mark.classList.toggle("down", this.isDown);
    this.mark.style.left = `${(100 * this.x) / (UNITS * this.pad.ratio)}%`;
    this.mark.style.top = `${(100 * this.y) / UNITS}%`;
  }
}
