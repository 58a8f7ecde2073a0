/** Counts as SVG: columns for what has an order, bars for what has names. */

import { h, s, show } from "../ui/script.js";

const ROW = 24;
const THICK = 14;
const HEIGHT = 200;
const FOOT = 22;
const HEAD = 18;
const CHARACTER = 7.2; // pixels of a letter, about
const LEAST_LABEL = 44; // pixels that the name of a column needs

/** A plot that is drawn as wide as there is room; `items` are {name, count}. */
export function plot(kind, label, items) {
  const draw = { columns, bars }[kind];
  const host = h("div", { class: "plot" });
  new ResizeObserver(() => {
    const width = Math.floor(host.clientWidth);
    if (width && width !== host.drawn) show(host, draw(label, items, (host.drawn = width)));
  }).observe(host);
  return host;
}

const drawing = (label, width, height, parts) =>
  s(
    "svg",
    { class: "chart", width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    parts,
  );

const most = (items) => Math.max(1, ...items.map(({ count }) => count));
/** Moves the middle of a text so far in that its ends stay within the width. */
const within = (middle, half, width) => Math.max(half, Math.min(middle, width - half));

const number = (count) => count.toLocaleString("en");

/** Upright columns in their order; where they are narrow only some are named. */
function columns(label, items, width) {
  const step = width / items.length;
  const thick = Math.max(1, Math.min(step - 3, 56));
  const scale = (HEIGHT - HEAD - FOOT) / most(items);
  const every = Math.ceil(Math.max(LEAST_LABEL, CHARACTER * items[0].name.length + 12) / step);
  const parts = items.map(({ name, count }, index) => {
    const middle = (index + 0.5) * step;
    const high = count * scale;
    const text = { x: middle, "text-anchor": "middle" };
    return [
      s(
        "rect",
        { class: "plot-bar", x: middle - thick / 2, y: HEIGHT - FOOT - high, width: thick, height: high },
        s("title", null, `${name}: ${number(count)}`),
      ),
      step > CHARACTER * number(count).length &&
        count > 0 &&
        s("text", { ...text, y: HEIGHT - FOOT - high - 5, class: "plot-value" }, number(count)),
      index % every === 0 &&
        s("text", { ...text, x: within(middle, (CHARACTER * name.length) / 2, width), y: HEIGHT - 6 }, name),
    ];
  });
  const foot = s("line", { class: "chart-axis", x1: 0, x2: width, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT });
  return drawing(label, width, HEIGHT, [...parts, foot]);
}

/** Bars below each other, each with its name before it and its count behind it. */
function bars(label, items, width) {
  const longest = Math.max(...items.map(({ name }) => name.length)) * CHARACTER + 10;
  const left = Math.min(longest, width * 0.45);
  const right = number(most(items)).length * CHARACTER + 14;
  const scale = Math.max(1, width - left - right) / most(items);
  const letters = Math.floor((left - 10) / CHARACTER);
  const parts = items.map(({ name, count }, index) => {
    const y = index * ROW + (ROW - THICK) / 2;
    const middle = index * ROW + ROW / 2 + 4;
    const short = name.length > letters ? `${name.slice(0, Math.max(1, letters - 1))}…` : name;
    return [
      s("text", { x: left - 10, y: middle, "text-anchor": "end" }, short, s("title", null, name)),
      s("rect", { class: "plot-bar", x: left, y, width: count ? Math.max(1, count * scale) : 0, height: THICK }),
      s("text", { x: left + count * scale + 6, y: middle, class: "plot-value" }, number(count)),
    ];
  });
  return drawing(label, width, items.length * ROW, parts);
}
