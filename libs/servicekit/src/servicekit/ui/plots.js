/** The parts of a chart: lines with gaps, thresholds, marks. */

import { s } from "./elements.js";
import { formatNumber } from "./format.js";
import { makeScale } from "./scales.js";

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

/** Levels as [y, text]: a line and its label each. */
export function grid(levels, left, right) {
  return levels.map(([y, text]) =>
    s(
      "g",
      null,
      s("line", { x1: left, x2: right, y1: y, y2: y, class: "chart-grid" }),
      s("text", { x: left - 7, y: y + 4, "text-anchor": "end", class: "chart-tick" }, text),
    ),
  );
}

/** The scores as a line, broken where one is unknown or the step is over `gapFactor` of the usual one. */
export function scoreLine(points, x, y, gapFactor) {
  const steps = points
    .slice(1)
    .map((point, index) => point.x - points[index].x)
    .sort((a, b) => a - b);
  const gap = gapFactor && steps.length > 4 ? gapFactor * steps[steps.length >> 1] : Infinity;
  return s("path", {
    d: pathThrough(thin(points, x), x, (point) => (point.y === null ? null : y(point.y)), gap),
    class: "chart-line",
  });
}

/** Each threshold that was in force, as one stepped line; the last value stands above the plot, clear of the data. */
export function thresholdLine(points, x, y, left, right) {
  const known = points.filter((point) => Number.isFinite(point.threshold));
  if (!known.length) return [];
  let path = "";
  let before = null;
  for (const point of known) {
    if (point.threshold === before) continue;
    path += before === null ? `M${left} ${y(point.threshold)}` : `H${x(point.x)}V${y(point.threshold)}`;
    before = point.threshold;
  }
  return [
    s("path", { d: `${path}H${right}`, class: "chart-threshold" }),
    s(
      "text",
      { x: right, y: 12, "text-anchor": "end", class: "chart-threshold-text" },
      `╌╌ threshold ${formatNumber(before)}`,
    ),
  ];
}

/** Anomalies as triangles, one per pixel column: the highest. */
export function anomalies(points, x, y) {
  const columns = new Map();
  for (const point of points) {
    if (point.status !== "anomaly" || point.y === null) continue;
    const column = Math.round(x(point.x) / 4);
    if (!columns.has(column) || columns.get(column).y < point.y) columns.set(column, point);
  }
  const d = [...columns.values()]
    .map((point) => `M${x(point.x).toFixed(1)} ${(y(point.y) - 5).toFixed(1)}l4.6 8h-9.2z`)
    .join("");
  return s("path", { d, class: "chart-anomaly" });
}

/** Rows that could not be judged: short strokes at the foot, where the line has its gap. */
export function unknowns(points, x, bottom) {
  const columns = new Set(points.filter((point) => point.y === null).map((point) => Math.round(x(point.x))));
  return s("path", { d: [...columns].map((column) => `M${column} ${bottom}v-7`).join(""), class: "chart-unknown" });
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
  return s(
    "svg",
    { class: "sparkline", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    s("path", { d: pathThrough(points, x, yOf), class: "chart-line" }),
  );
}
