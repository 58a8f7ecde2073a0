/** Draw: one digit, read while it is drawn; or a number, read after each stroke. */

import { ProblemError, announce, problemBox, saveFile, show } from "../ui/script.js";
import { DigitView } from "./digitview.js";
import { lineMark } from "./linemark.js";
import { Newest } from "./newest.js";
import { NumberView } from "./numberview.js";
import { Pad } from "./pad.js";
import { Reader, readNumber } from "./reading.js";
import { Tools } from "./tools.js";

const SETTLED_MS = 900; // what is read while somebody still draws is not worth saying aloud
const DIGIT_PX = 280;
const NUMBER_PX = 400;
const NOTHING = "\u00a0"; // keeps its line, so that nothing jumps when the first answer comes

class Draw {
  constructor(app) {
    this.app = app;
    this.message = document.querySelector("#draw-message");
    this.facts = document.querySelector("#draw-facts");
    this.reader = new Reader((state) => this.lineChanged(state));
    this.modes = { digit: this.digitMode(), number: this.numberMode() };
    this.mode = "digit";
    this.tools = new Tools(this);
    this.speech = null;
    this.tools.start();
  }

  get pad() {
    return this.modes[this.mode].pad;
  }

  digitMode() {
    const view = new DigitView(document.querySelector("#digit-result"));
    const ask = (canvas) => this.reader.read(canvas, this.app.model);
    return { height: DIGIT_PX, isLive: () => this.reader.line.isOpen, ...this.makeMode("digit", 1, view, ask) };
  }

  numberMode() {
    const view = new NumberView(document.querySelector("#number-result"), document.querySelector("#number-boxes"));
    const ask = (canvas) => readNumber(canvas, this.app.model);
    return { height: NUMBER_PX, isLive: () => false, ...this.makeMode("number", 2, view, ask) };
  }

  makeMode(name, ratio, view, ask) {
    const pad = new Pad(document.querySelector(`#${name}-pad`), ratio, (how) => this.drawn(name, how));
    const newest = new Newest(
      ask,
      (answer, canvas) => this.answered(view, answer, canvas),
      (error) => this.failed(view, error),
    );
    return { pad, view, newest };
  }

  /** Reads what has been drawn: while a stroke grows only where an answer costs little. */
  drawn(name, how) {
    const { pad, view, newest, height, isLive } = this.modes[name];
    this.tools.follow(pad);
    pad.canvas.parentElement.classList.toggle("drawn", !pad.isBlank);
    clearTimeout(this.speech);
    if (pad.isBlank) {
      newest.drop();
      show(this.message);
      show(this.facts, NOTHING);
      view.clear();
      if (how === "edit") announce("Blank");
      return;
    }
    view.growing?.();
    if (how !== "stroke" || isLive()) newest.push(() => pad.picture(height));
  }

  answered(view, answer, canvas) {
    show(this.message);
    const said = view.show(answer, canvas);
    show(this.facts, answer?.model ? factsOf(answer) : NOTHING);
    clearTimeout(this.speech);
    this.speech = setTimeout(() => announce(said), SETTLED_MS);
  }

  failed(view, error) {
    if (!(error instanceof ProblemError)) throw error;
    view.clear();
    show(this.facts, NOTHING);
    show(
      this.message,
      problemBox(error, () => this.drawn(this.mode, "end")),
    );
  }

  lineChanged(state) {
    lineMark(document.querySelector("#draw-line"), state);
    if (state === "open" && !this.modes.digit.pad.isBlank) this.drawn("digit", "end");
  }

  setMode(mode) {
    if (mode !== this.mode) this.modes[this.mode].newest.drop();
    this.mode = mode;
    for (const name of ["digit", "number"]) {
      document.querySelector(`#${name}-frame`).hidden = name !== mode;
      document.querySelector(`#${name}-result`).hidden = name !== mode;
    }
    document.querySelector("#draw-line").hidden = mode === "number";
    document.querySelector("#draw-columns").classList.toggle("number", mode === "number");
    document.querySelector(`#draw-mode [value=${mode}]`).checked = true;
    this.tools.follow(this.pad);
    this.drawn(mode, "end");
  }

  save() {
    const { pad, height } = this.modes[this.mode];
    pad.picture(2 * height).toBlob((blob) => saveFile(blob, `${this.mode}.png`), "image/png");
  }

  async enter(detail) {
    this.setMode(detail === "number" ? "number" : "digit");
    if (await this.app.isAdmitted()) this.reader.line.wake();
  }

  modelChosen() {
    this.drawn(this.mode, "end");
  }
}

const factsOf = ({ model, ms, via }) =>
  `${model}, answered in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms${via === "socket" ? " over the WebSocket" : ""}.`;

export const mountDraw = (app) => new Draw(app);
