/** What was drawn: strokes in units of the paper, with undo and redo. Nothing here knows of pixels or events. */

export const UNITS = 1000; // the height of every paper

/** Strokes never change once they are ended, so that a state of the past is a list of references. */
export class Drawing {
  constructor() {
    this.strokes = [];
    this.past = [];
    this.future = [];
    this.current = null;
  }

  get isBlank() {
    return this.strokes.length === 0;
  }

  /** Begins a stroke at a point {x, y, width}; a stroke that goes on is ended first. */
  begin(point, colour) {
    this.end();
    this.past.push(this.strokes);
    this.future = [];
    this.current = { colour, points: [point] };
    this.strokes = [...this.strokes, this.current];
  }

  extend(point) {
    this.current.points.push(point);
  }

  /** Ends the stroke, if one is being drawn. */
  end() {
    this.current = null;
  }

  /** Takes everything away, which can be undone like a stroke. */
  clear() {
    this.end();
    if (this.isBlank) return;
    this.past.push(this.strokes);
    this.future = [];
    this.strokes = [];
  }

  undo() {
    this.step(this.past, this.future);
  }

  redo() {
    this.step(this.future, this.past);
  }

  step(from, to) {
    this.end();
    if (!from.length) return;
    to.push(this.strokes);
    this.strokes = from.pop();
  }
}
