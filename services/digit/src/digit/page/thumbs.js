/** Small pictures of rows: made when they come into view, two at a time, the newest few hundred kept. */

import { h } from "../ui/script.js";

const SIDE = 88; // pixels of the canvas, shown at half of it
const AT_ONCE = 2; // a photograph of 25 megapixels takes 100 MB while it is decoded
const KEPT = 400;

export class Thumbs {
  constructor() {
    this.kept = new Map();
    this.waiting = [];
    this.busy = 0;
    this.observer = new IntersectionObserver((changes) => this.seen(changes), { rootMargin: "200px" });
    this.sources = new WeakMap();
  }

  /** A canvas that will show a source's picture. */
  canvasFor(source) {
    const canvas = h("canvas", { class: "thumb", width: SIDE, height: SIDE });
    if (this.kept.has(source)) draw(canvas, this.kept.get(source));
    else {
      this.sources.set(canvas, source);
      this.observer.observe(canvas);
    }
    return canvas;
  }

  seen(changes) {
    for (const { target, isIntersecting } of changes) {
      if (!isIntersecting) continue;
      this.observer.unobserve(target);
      this.waiting.push(target);
    }
    this.next();
  }

  /** Rows that were scrolled or filtered away meanwhile are not worth the work. */
  next() {
    this.waiting = this.waiting.filter((canvas) => canvas.isConnected);
    while (this.busy < AT_ONCE && this.waiting.length) this.make(this.waiting.shift());
  }

  async make(canvas) {
    this.busy += 1;
    try {
      const source = this.sources.get(canvas);
      const small = await shrink(await source.load());
      this.keep(source, small);
      draw(canvas, small);
    } catch {
      canvas.classList.add("broken"); // the row itself says what the service made of it
    } finally {
      this.busy -= 1;
      this.next();
    }
  }

  keep(source, small) {
    this.kept.set(source, small);
    if (this.kept.size > KEPT) this.kept.delete(this.kept.keys().next().value);
  }
}

/** The picture in SIDE × SIDE pixels, upright, whole. */
async function shrink(blob) {
  const picture = await createImageBitmap(blob);
  const scale = SIDE / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((size) => Math.max(1, Math.round(size * scale)));
  const small = new OffscreenCanvas(SIDE, SIDE);
  const context = small.getContext("2d");
  context.imageSmoothingEnabled = scale < 1; // MNIST's own pixels are to be seen as they are
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  picture.close();
  return small;
}

const draw = (canvas, small) => canvas.getContext("2d").drawImage(small, 0, 0);
