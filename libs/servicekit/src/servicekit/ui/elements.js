/** Building and filling elements. Text only ever enters the page as text nodes, never as markup. */

import { formatTime } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const COPIED_MS = 2000;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/** An HTML element: attributes, `onclick`-like listeners, then children (strings become text). */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A button that does something here; `kind` is its class, `label` its name where the text alone says too little. */
export function button(text, onclick, kind = null, label = null) {
  return h("button", { type: "button", class: kind, "aria-label": label, onclick }, text);
}

/** A control, which has an id, with its label above and an optional hint below it. */
export function labelled(label, control, hint = null) {
  const id = `${control.id}-hint`;
  if (hint) control.setAttribute("aria-describedby", id);
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("p", { class: "hint", id }, hint),
  );
}

/** Replaces what an element holds and returns it. */
export function show(element, ...children) {
  element.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const SHAPES = {
  circle: () => s("circle", { cx: 6, cy: 6, r: 4.5 }),
  ring: () => s("circle", { cx: 6, cy: 6, r: 4, class: "hollow", "stroke-dasharray": "2.5 2" }),
  triangle: () => s("path", { d: "M6 1 11.4 10.8H.6z" }),
  caret: () => s("path", { d: "M6 2 10.5 10H1.5z", class: "hollow" }),
  diamond: () => s("path", { d: "M6 .3 11.7 6 6 11.7.3 6z" }),
  square: () => s("rect", { x: 1.5, y: 1.5, width: 9, height: 9, rx: 1 }),
  bars: () => s("path", { d: "M2 1h3v10H2zM7 1h3v10H7z" }),
  check: () => s("path", { d: "M1.5 6.5 4.5 9.5 10.5 2.5", class: "hollow" }),
};

/** word → [shape, tone]: no state is told by colour alone. */
const MARKS = {
  normal: ["circle", "good"],
  healthy: ["circle", "good"],
  ready: ["circle", "good"],
  stable: ["circle", "good"],
  succeeded: ["check", "good"],
  delivered: ["check", "good"],
  recognized: ["check", "good"],
  cleared: ["check", "good"],
  connected: ["circle", "good"],
  anomaly: ["triangle", "bad"],
  failed: ["diamond", "bad"],
  unhealthy: ["diamond", "bad"],
  dead: ["diamond", "bad"],
  active: ["triangle", "bad"],
  critical: ["diamond", "bad"],
  drift: ["triangle", "warn"],
  drifting: ["triangle", "warn"],
  minor: ["caret", "warn"],
  major: ["triangle", "warn"],
  degraded: ["triangle", "warn"],
  warning: ["triangle", "warn"],
  acknowledged: ["check", "info"],
  unrecognized: ["caret", "warn"],
  running: ["square", "info"],
  processing: ["square", "info"],
  shelved: ["bars", "muted"],
  queued: ["ring", "muted"],
  latched: ["diamond", "bad"],
  clearing: ["triangle", "warn"],
  learning: ["ring", "muted"],
  info: ["circle", "info"],
  pending: ["ring", "muted"],
  unknown: ["ring", "muted"],
  none: ["circle", "muted"],
  cancelled: ["bars", "muted"],
};

/** A state as shape, colour and word. */
export function mark(state, text = state) {
  const [shape, tone] = MARKS[state] ?? ["ring", "muted"];
  const icon = s("svg", { viewBox: "0 0 12 12", class: "mark-shape", "aria-hidden": "true" }, SHAPES[shape]());
  return h("span", { class: `mark ${tone}`, "data-state": state }, icon, String(text));
}

/** A point in time, local, with the exact UTC time as its tooltip. */
export function time(iso) {
  return iso ? h("time", { datetime: iso, title: iso }, formatTime(iso)) : "–";
}

/** A table that scrolls sideways on its own; `columns` are [heading, cell(row), class]. One with actions stacks on phones. */
export function table(caption, columns, rows, rowAttributes = () => ({})) {
  const head = h(
    "tr",
    null,
    columns.map(([heading, , kind]) => h("th", { scope: "col", class: kind }, heading)),
  );
  const body = rows.map((row) =>
    h(
      "tr",
      rowAttributes(row),
      columns.map(([heading, cell, kind]) => h("td", { class: kind, "data-label": heading }, cell(row))),
    ),
  );
  const inner = h(
    "table",
    { class: columns.some(([, , kind]) => kind === "act") ? "stacks" : null },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", null, head),
    h("tbody", null, body),
  );
  return h("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 }, inner);
}

/** Terms and their values side by side; pairs without a value are left out. */
export function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined);
  return h(
    "dl",
    { class: "facts" },
    known.map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value))),
  );
}

/** What an empty, a loading place says; `action` is an optional button or link. */
export function empty(text, action) {
  return h("div", { class: "empty" }, h("p", null, text), action);
}

export function loading(text = "Loading…") {
  return h("p", { class: "loading", role: "status" }, text);
}

/** Horizontal bars for shares: [{name, share, text}] in the order given. */
export function bars(items, label) {
  const most = Math.max(...items.map((item) => Math.abs(item.share)), Number.MIN_VALUE);
  return h(
    "ul",
    { class: "bars", "aria-label": label },
    items.map((item) => {
      const length = h("span", { class: "bar-length" });
      length.style.width = `${Math.max(0, Math.min(100, (100 * Math.abs(item.share)) / most))}%`;
      return h(
        "li",
        null,
        h("span", { class: "bar-name", title: item.name }, item.name),
        h("span", { class: "bar-track", "aria-hidden": "true" }, length),
        h("span", { class: "bar-value" }, item.text),
      );
    }),
  );
}

/** Says something to screen readers alone: the short form of what has just changed on the page. */
export function announce(text) {
  let place = document.querySelector("#announcer");
  if (!place) document.body.append((place = h("div", { id: "announcer", class: "visually-hidden", role: "status" })));
  place.textContent = text;
}

/** Text with a button that copies it. */
export function copyable(text, label) {
  const code = h("code", { tabindex: 0 }, text);
  const copier = button(
    "Copy",
    async () => {
      copier.textContent = (await copy(text, code)) ? "Copied" : "Selected";
      setTimeout(() => (copier.textContent = "Copy"), COPIED_MS);
    },
    "small",
    `Copy ${label}`,
  );
  return h("div", { class: "copyable" }, h("pre", null, code), copier);
}

/** The clipboard needs https or localhost; elsewhere the text is selected for the user's own copy. */
async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

/** Runs an action with its button marked busy, so that it cannot start twice. */
export async function busy(pressed, action) {
  if (pressed.getAttribute("aria-busy") === "true") return undefined;
  pressed.setAttribute("aria-busy", "true");
  try {
    return await action();
  } finally {
    pressed.removeAttribute("aria-busy");
  }
}

/** A file field that also takes a dropped file; calls `taken(file)` for either. */
export function dropZone(zone, taken) {
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", () => input.files[0] && taken(input.files[0]));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (file) taken(file);
  });
}
