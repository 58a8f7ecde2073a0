/** A trend with its threshold, gaps where nothing was judged, and a cursor for mouse and keyboard. */

import { h, s, show } from "./elements.js";
import { formatNumber, plural } from "./format.js";
import { anomalies, grid, scoreLine, thresholdLine, unknowns } from "./plots.js";
import { makeScale, niceTicks } from "./scales.js";

const MARGIN = { top: 22, right: 12, bottom: 24 };
const CHARACTER = 7; // widest digit of the tick labels in pixels
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };
const DEFAULTS = {
  height: 260,
  xFormat: formatNumber,
  yFormat: formatNumber,
  xTicks: null,
  gapFactor: 0,
  summary: countStates,
};

/**
 * A trend of scores in `host`. `draw(points, {logarithmic})` takes [{x, y (null: unknown), threshold, status, text}],
 * sorted by x. Arrow keys, Home and End move a cursor whose reading is written below the chart.
 */
export function trendChart(host, { label, ...options }) {
  return new Trend(host, label, { ...DEFAULTS, ...options });
}

class Trend {
  constructor(host, label, options) {
    Object.assign(this, { host, options, points: [], logarithmic: false, cursor: null, x: null });
    const role = { role: "application", "aria-roledescription": "chart", "aria-label": label };
    this.svg = s("svg", { class: "chart", height: options.height, tabindex: 0, ...role });
    this.reading = h("p", { class: "chart-reading", "aria-live": "off" });
    show(host, this.svg, this.reading);
    new ResizeObserver(() => this.redraw()).observe(host);
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
    this.svg.addEventListener("pointermove", (event) => this.onPointer(event));
    this.svg.addEventListener("pointerleave", () => this.move(null));
  }

  draw(points, { logarithmic = false } = {}) {
    if (this.cursor !== null && this.cursor >= points.length) this.cursor = null;
    Object.assign(this, { points, logarithmic });
    this.redraw();
  }

  onKey(event) {
    if (event.key === "Escape") this.move(null);
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    this.move((this.cursor ?? this.points.length - 1) + STEPS[event.key]);
  }

  onPointer(event) {
    if (this.x) this.move(nearest(this.points, this.x.inverse(event.offsetX)));
  }

  move(index) {
    const last = this.points.length - 1;
    this.cursor = index === null || last < 0 ? null : Math.max(0, Math.min(last, index));
    this.redraw();
  }

  redraw() {
    const width = this.host.clientWidth;
    if (!width) return; // hidden: drawn once it has a size
    const { height } = this.options;
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (this.points.length) show(this.svg, this.parts(width, height - MARGIN.bottom));
    else {
      const middle = { x: width / 2, y: height / 2, "text-anchor": "middle" };
      show(this.svg, s("text", middle, "No points yet"));
    }
    this.read();
  }

  parts(width, bottom) {
    const { points, options } = this;
    const right = width - MARGIN.right;
    const [low, high] = limitsOf(points, this.logarithmic);
    const y = makeScale(low, high, bottom, MARGIN.top, this.logarithmic);
    const levels = y.ticks(4).map((tick) => [y(tick), options.yFormat(tick)]);
    const left = 16 + CHARACTER * Math.max(2, ...levels.map(([, text]) => text.length));
    const [first, last] = [points[0].x, points.at(-1).x];
    const x = makeScale(first, last > first ? last : first + 1, left, right);
    this.x = x;
    const ticks = (options.xTicks ?? niceTicks)(first, last, Math.max(3, Math.floor(width / 100)));
    return [
      grid(levels, left, right),
      ticks.map((tick) => tickLabel(x(tick), options.height - 6, options.xFormat(tick))),
      unknowns(points, x, bottom),
      thresholdLine(points, x, y, left, right),
      scoreLine(points, x, y, options.gapFactor),
      anomalies(points, x, y),
      this.cursorParts(x, y, bottom),
    ];
  }

  cursorParts(x, y, bottom) {
    const point = this.points[this.cursor];
    if (!point) return null;
    const at = x(point.x);
    return [
      s("line", { x1: at, x2: at, y1: MARGIN.top, y2: bottom, class: "chart-cursor" }),
      point.y !== null && s("circle", { cx: at, cy: y(point.y), r: 4, class: "chart-dot" }),
    ];
  }

  /** Writes what the cursor is on; a trend that moves by itself is not read out second by second. */
  read() {
    const point = this.points[this.cursor];
    const words = point ? (point.text ?? this.words(point)) : this.options.summary(this.points);
    this.reading.setAttribute("aria-live", point ? "polite" : "off");
    if (this.reading.textContent !== words) this.reading.textContent = words;
  }

  words({ x, y }) {
    return `${this.options.xFormat(x)}: ${y === null ? "unknown" : this.options.yFormat(y)}`;
  }
}

function tickLabel(x, y, text) {
  return s("text", { x, y, "text-anchor": "middle", class: "chart-tick" }, text);
}

/** The lowest and the highest value of the vertical axis; no spread arguments, which end at some hundred thousand. */
function limitsOf(points, logarithmic) {
  const values = points.flatMap((point) => [point.y, point.threshold]).filter(Number.isFinite);
  const high = values.reduce((most, value) => Math.max(most, value), 1e-9) * 1.08;
  if (!logarithmic) return [values.reduce((least, value) => Math.min(least, value), 0), high];
  return [values.reduce((least, value) => (value > 0 ? Math.min(least, value) : least), high / 10) * 0.8, high];
}

/** The index of the point whose x is closest, by bisection. */
function nearest(points, x) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].x < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - points[low - 1].x < points[low].x - x ? low - 1 : low;
}

function countStates(points) {
  const count = (status) => points.filter((point) => point.status === status).length;
  return `${plural(points.length, "reading")}, ${plural(count("anomaly"), "anomaly", "anomalies")}, ${count("unknown")} unknown`;
}
