/** A histogram with a threshold that is dragged by pointer or moved by keyboard. */

import { s, show } from "./elements.js";
import { formatNumber } from "./format.js";
import { makeScale, niceTicks } from "./scales.js";

const MARGIN = { top: 26, right: 14, bottom: 24, left: 46 };
const STEPS = 200; // keyboard steps over the whole width; PageUp and PageDown move ten at once

/**
 * `draw({edges, counts, threshold, logarithmic})`; `onChange(threshold)` follows each move,
 * `describe(threshold)` gives the words that a screen reader says for a position.
 */
export function histogram(host, { label, height = 260, onChange = () => {}, describe = formatNumber }) {
  const state = { edges: [0, 1], counts: [0], threshold: 0, logarithmic: false, high: 1 };
  const svg = s("svg", { class: "chart histogram", height, "aria-label": label, role: "group" });
  show(host, svg);
  const redraw = () => host.clientWidth && drawHistogram(svg, state, host.clientWidth, height, describe, label);
  new ResizeObserver(redraw).observe(host);
  const moveTo = (value) => {
    const clamped = Math.max(state.high / 1e6, Math.min(state.high, value));
    state.threshold = Number(clamped.toPrecision(5));
    redraw();
    onChange(state.threshold);
  };
  svg.addEventListener("keydown", (event) => onKey(event, state, moveTo));
  followPointer(svg, state, moveTo);
  return {
    draw(next) {
      Object.assign(state, next);
      state.high = Math.max(state.edges.at(-1), state.threshold * 1.15) || 1;
      redraw();
    },
  };
}

function onKey(event, state, moveTo) {
  const step = state.high / STEPS;
  const target = {
    ArrowLeft: state.threshold - step,
    ArrowDown: state.threshold - step,
    ArrowRight: state.threshold + step,
    ArrowUp: state.threshold + step,
    PageDown: state.threshold - 10 * step,
    PageUp: state.threshold + 10 * step,
    Home: state.edges[0],
    End: state.high,
  }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  moveTo(target);
  event.currentTarget.querySelector("[role=slider]").focus();
}

function followPointer(svg, state, moveTo) {
  const valueAt = (event) => state.scale.inverse(event.clientX - svg.getBoundingClientRect().left);
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !state.scale) return;
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
    moveTo(valueAt(event));
    svg.querySelector("[role=slider]").focus({ preventScroll: true });
  });
  svg.addEventListener("pointermove", (event) => svg.hasPointerCapture(event.pointerId) && moveTo(valueAt(event)));
}

function drawHistogram(svg, state, width, height, describe, label) {
  const bottom = height - MARGIN.bottom;
  const x = makeScale(0, state.high, MARGIN.left, width - MARGIN.right);
  const top = Math.max(1, ...state.counts);
  const y = state.logarithmic
    ? makeScale(0.5, top * 1.3, bottom, MARGIN.top, true)
    : makeScale(0, top * 1.05, bottom, MARGIN.top);
  state.scale = x;
  svg.setAttribute("width", width);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const ticks = niceTicks(0, state.high, Math.max(3, Math.floor(width / 90)));
  const handle = svg.querySelector("[role=slider]") ?? slider(label);
  placeSlider(handle, state, x(state.threshold), bottom, width, describe);
  const body = s(
    "g",
    { class: "histogram-body" },
    yAxis(y, width),
    columns(state, x, y, bottom),
    s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: bottom, y2: bottom, class: "chart-axis" }),
    ticks.map((tick) =>
      s("text", { x: x(tick), y: height - 6, "text-anchor": "middle", class: "chart-tick" }, formatNumber(tick)),
    ),
  );
  svg.querySelector(".histogram-body")?.remove();
  svg.prepend(body);
  if (!handle.isConnected) svg.append(handle);
}

function yAxis(y, width) {
  return y
    .ticks(4)
    .filter((tick) => tick >= 1 || tick === 0)
    .map((tick) =>
      s(
        "g",
        null,
        s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick), class: "chart-grid" }),
        s(
          "text",
          { x: MARGIN.left - 7, y: y(tick) + 4, "text-anchor": "end", class: "chart-tick" },
          formatNumber(tick),
        ),
      ),
    );
}

/** Columns above the threshold look different in fill and outline, not in hue alone. */
function columns(state, x, y, bottom) {
  const parts = { normal: "", above: "" };
  state.counts.forEach((count, index) => {
    if (!count) return;
    const left = x(state.edges[index]);
    const right = x(state.edges[index + 1]);
    const gap = right - left > 4 ? 1 : 0;
    const column = `M${left.toFixed(1)} ${bottom}V${y(count).toFixed(1)}H${Math.max(left + 0.8, right - gap).toFixed(1)}V${bottom}z`;
    parts[state.edges[index] >= state.threshold ? "above" : "normal"] += column;
  });
  return [
    s("path", { d: parts.normal, class: "chart-column" }),
    s("path", { d: parts.above, class: "chart-column above" }),
  ];
}

function slider(label) {
  return s(
    "g",
    {
      role: "slider",
      tabindex: 0,
      class: "slider",
      "aria-label": `Threshold in ${label}`,
      "aria-orientation": "horizontal",
    },
    s("line", { class: "chart-threshold" }),
    s("path", { class: "slider-grip" }),
    s("text", { class: "chart-threshold-text" }),
  );
}

function placeSlider(handle, state, x, bottom, width, describe) {
  const [line, grip, text] = handle.children;
  for (const [name, value] of Object.entries({ x1: x, x2: x, y1: MARGIN.top - 8, y2: bottom }))
    line.setAttribute(name, value);
  grip.setAttribute("d", `M${x - 7} ${MARGIN.top - 20}h14v9l-7 7-7-7z`);
  const leftSide = x > width * 0.65;
  text.setAttribute("x", leftSide ? x - 12 : x + 12);
  text.setAttribute("y", MARGIN.top - 9);
  text.setAttribute("text-anchor", leftSide ? "end" : "start");
  show(text, formatNumber(state.threshold));
  handle.setAttribute("aria-valuemin", String(state.edges[0]));
  handle.setAttribute("aria-valuemax", String(state.high));
  handle.setAttribute("aria-valuenow", String(state.threshold));
  handle.setAttribute("aria-valuetext", describe(state.threshold));
}
