/** Small SVG charts: a trend with its threshold, gaps where nothing was judged, and a cursor for mouse and keyboard. */

import { h, s, show } from "./elements.js";
import { formatNumber, plural } from "./format.js";

const MARGIN = { top: 14, right: 12, bottom: 24, left: 52 };

/** Round tick values between two numbers, about `count` of them. */
export function niceTicks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

/** Powers of ten between two positive numbers; with 2 and 5 between where the range is short. */
function logTicks(low, high) {
  const factors = Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(3)));
    }
  }
  return ticks;
}

/** A scale from values to pixels, linear or logarithmic, with its inverse and its ticks. */
export function makeScale(low, high, from, to, logarithmic = false) {
  const map = logarithmic ? (value) => Math.log10(Math.max(value, low)) : (value) => value;
  const start = map(low);
  const span = map(high) - start || 1;
  const scale = (value) => from + ((map(value) - start) / span) * (to - from);
  scale.inverse = (pixel) => {
    const value = start + ((pixel - from) / (to - from || 1)) * span;
    return logarithmic ? 10 ** value : value;
  };
  scale.ticks = (count) => (logarithmic ? logTicks(low, high) : niceTicks(low, high, count));
  return scale;
}

/** Keeps the extremes of each pixel column, so that ten thousand points draw as fast as a thousand and no peak is lost. */
function thin(points, xScale) {
  if (points.length < 1500) return points;
  const kept = [];
  let column = null;
  let low = null;
  let high = null;
  const flush = () => {
    if (low) kept.push(...(low === high ? [low] : low.x <= high.x ? [low, high] : [high, low]));
    low = high = null;
  };
  for (const point of points) {
    const here = Math.round(xScale(point.x));
    if (point.y === null || here !== column) flush();
    column = here;
    if (point.y === null) {
      kept.push(point);
      continue;
    }
    if (!low || point.y < low.y) low = point;
    if (!high || point.y > high.y) high = point;
  }
  flush();
  return kept;
}

/** An SVG path through [x, y] points; a null y or a step over `gap` in x lifts the pen, a lone point becomes a dot. */
function pathThrough(points, xScale, yOf, gap = Infinity) {
  let path = "";
  let before = null;
  points.forEach((point, index) => {
    const y = yOf(point);
    if (y === null) {
      before = null;
      return;
    }
    const broken = before === null || point.x - before > gap;
    const next = points[index + 1];
    const alone = broken && (!next || yOf(next) === null || next.x - point.x > gap);
    path += `${broken ? "M" : "L"}${xScale(point.x).toFixed(1)} ${y.toFixed(1)}${alone ? "h.01" : ""}`;
    before = point.x;
  });
  return path;
}

function limitsOf(points, logarithmic, ceiling) {
  const scores = points.filter((point) => point.y !== null).map((point) => point.y);
  const thresholds = points.filter((point) => Number.isFinite(point.threshold)).map((point) => point.threshold);
  const high = ceiling ?? Math.max(1e-9, ...scores, ...thresholds) * 1.08;
  if (!logarithmic) return [Math.min(0, ...scores), high];
  const positive = [...scores, ...thresholds].filter((value) => value > 0);
  return [Math.min(high / 10, ...positive) * 0.8, high];
}

/**
 * A trend of scores in `host`. `draw(points, {logarithmic})` takes [{x, y (null: unknown), threshold, status, text}],
 * sorted by x. Arrow keys, Home and End move a cursor whose reading is written below the chart.
 */
export function trendChart(host, { label, height = 260, xFormat = formatNumber, yFormat = formatNumber, xTicks = null, gapFactor = 0, summary = countStates } = {}) {
  const state = { points: [], logarithmic: false, cursor: null };
  const svg = s("svg", { class: "chart", height, tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": label });
  const reading = h("p", { class: "chart-reading", "aria-live": "off" });
  show(host, svg, reading);
  const redraw = () => host.clientWidth && drawTrend(svg, reading, state, { height, width: host.clientWidth, xFormat, yFormat, xTicks, gapFactor, summary });
  new ResizeObserver(redraw).observe(host);
  const move = (index) => {
    if (!state.points.length) return;
    state.cursor = Math.max(0, Math.min(state.points.length - 1, index));
    redraw();
  };
  svg.addEventListener("keydown", (event) => {
    const at = state.cursor ?? state.points.length - 1;
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 20, PageDown: at + 20, Home: 0, End: state.points.length - 1 }[event.key];
    if (target !== undefined) {
      event.preventDefault();
      move(target);
    } else if (event.key === "Escape") {
      state.cursor = null;
      redraw();
    }
  });
  svg.addEventListener("pointermove", (event) => state.scale && move(nearest(state.points, state.scale.inverse(event.offsetX))));
  svg.addEventListener("pointerleave", () => {
    state.cursor = null;
    redraw();
  });
  return {
    draw(points, { logarithmic = false } = {}) {
      if (state.cursor !== null && state.cursor >= points.length) state.cursor = null;
      Object.assign(state, { points, logarithmic });
      redraw();
    },
  };
}

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

function drawTrend(svg, reading, state, { width, height, xFormat, yFormat, xTicks, gapFactor, summary }) {
  const { points, logarithmic } = state;
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  svg.setAttribute("width", width);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  if (!points.length) {
    show(svg, s("text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "chart-note" }, "No points yet"));
    show(reading);
    return;
  }
  const first = points[0].x;
  const last = points.at(-1).x;
  const x = makeScale(first, last > first ? last : first + 1, MARGIN.left, right);
  const [low, high] = limitsOf(points, logarithmic);
  const y = makeScale(low, high, bottom, MARGIN.top, logarithmic);
  state.scale = x;
  const ticks = xTicks ? xTicks(first, last, Math.max(3, Math.floor(width / 95))) : niceTicks(first, last, Math.max(3, Math.floor(width / 110)));
  show(svg, grid(y, width, yFormat), ticks.map((tick) => s("text", { x: x(tick), y: height - 6, "text-anchor": "middle", class: "chart-tick" }, xFormat(tick))),
    unknowns(points, x, bottom), thresholdLine(points, x, y, right), scoreLine(points, x, y, gapFactor), anomalies(points, x, y),
    cursorMark(state, x, y, bottom));
  const words = describe(state, xFormat, summary);
  reading.setAttribute("aria-live", state.cursor === null ? "off" : "polite"); // a live trend is not read out second by second
  if (reading.textContent !== words) reading.textContent = words;
}

function grid(y, width, yFormat) {
  return y.ticks(4).map((tick) => s("g", null, s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick), class: "chart-grid" }),
    s("text", { x: MARGIN.left - 7, y: y(tick) + 4, "text-anchor": "end", class: "chart-tick" }, yFormat(tick))));
}

function scoreLine(points, x, y, gapFactor) {
  const steps = points.slice(1).map((point, index) => point.x - points[index].x).sort((a, b) => a - b);
  const gap = gapFactor && steps.length > 4 ? gapFactor * steps[steps.length >> 1] : Infinity;
  return s("path", { d: pathThrough(thin(points, x), x, (point) => (point.y === null ? null : y(point.y)), gap), class: "chart-line" });
}

/** Each threshold that was in force, as one line with its value at the right end. */
function thresholdLine(points, x, y, right) {
  const known = points.filter((point) => Number.isFinite(point.threshold));
  if (!known.length) return [];
  let path = "";
  let before = null;
  for (const point of known) {
    if (point.threshold === before) continue;
    path += before === null ? `M${MARGIN.left} ${y(point.threshold)}` : `H${x(point.x)}V${y(point.threshold)}`;
    before = point.threshold;
  }
  return [s("path", { d: `${path}H${right}`, class: "chart-threshold" }),
    s("text", { x: right, y: y(before) - 5, "text-anchor": "end", class: "chart-threshold-text" }, `threshold ${formatNumber(before)}`)];
}

/** Anomalies as triangles, one per pixel column: the highest. */
function anomalies(points, x, y) {
  const columns = new Map();
  for (const point of points) {
    if (point.status !== "anomaly" || point.y === null) continue;
    const column = Math.round(x(point.x) / 4);
    if (!columns.has(column) || columns.get(column).y < point.y) columns.set(column, point);
  }
  const d = [...columns.values()].map((point) => `M${x(point.x).toFixed(1)} ${(y(point.y) - 5).toFixed(1)}l4.6 8h-9.2z`).join("");
  return s("path", { d, class: "chart-anomaly" });
}

/** Rows that could not be judged: short strokes at the foot, where the line has its gap. */
function unknowns(points, x, bottom) {
  const columns = new Set(points.filter((point) => point.y === null).map((point) => Math.round(x(point.x))));
  return s("path", { d: [...columns].map((column) => `M${column} ${bottom}v-7`).join(""), class: "chart-unknown" });
}

function cursorMark(state, x, y, bottom) {
  const point = state.cursor === null ? null : state.points[state.cursor];
  if (!point) return [];
  return [s("line", { x1: x(point.x), x2: x(point.x), y1: MARGIN.top, y2: bottom, class: "chart-cursor" }),
    point.y === null ? null : s("circle", { cx: x(point.x), cy: y(point.y), r: 4, class: "chart-dot" })].filter(Boolean);
}

function describe(state, xFormat, summary) {
  const point = state.cursor === null ? null : state.points[state.cursor];
  if (point) return point.text ?? `${xFormat(point.x)}: ${point.y === null ? "unknown" : formatNumber(point.y)}`;
  return summary(state.points);
}

function countStates(points) {
  const count = (status) => points.filter((point) => point.status === status).length;
  return `${plural(points.length, "reading")}, ${plural(count("anomaly"), "anomaly", "anomalies")}, ${count("unknown")} unknown`;
}

/** A tiny line without axes, for one column of a table. */
export function sparkline(values, label, width = 120, height = 24) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  const low = Math.min(...known);
  const high = Math.max(...known);
  const y = makeScale(low, high > low ? high : low + 1, height - 3, 3);
  const x = makeScale(0, Math.max(1, values.length - 1), 2, width - 2);
  const points = values.map((value, index) => ({ x: index, y: value }));
  const yOf = (point) => (point.y === null || !Number.isFinite(point.y) ? null : y(point.y));
  return s("svg", { class: "sparkline", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    s("path", { d: pathThrough(points, x, yOf), class: "chart-line" }));
}

/** Ticks at whole seconds, minutes, hours or days of local time, about `count` between two epoch milliseconds. */
export function timeTicks(first, last, count) {
  const minute = 60000;
  const steps = [1000, 2000, 5000, 10000, 15000, 30000, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
    60 * minute, 120 * minute, 180 * minute, 360 * minute, 720 * minute, 1440 * minute, 2880 * minute, 10080 * minute];
  const step = steps.find((candidate) => (last - first) / candidate <= count) ?? Math.ceil((last - first) / count);
  const shift = new Date(first).getTimezoneOffset() * minute;
  const ticks = [];
  for (let tick = Math.ceil((first - shift) / step) * step + shift; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}
