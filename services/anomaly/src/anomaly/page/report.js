/** A training report, whatever it holds: notes first, then facts, then what is nested. */

import { facts, formatNumber, formatPercent, h, table } from "../ui/script.js";

const SHARES = /(^|_)(rate|share|fraction|detected)$|^shift_|^swap$/;
const LONGEST_LIST = 12;
const LONGEST_FACT = 40; // characters; what is longer is a paragraph

const words = (name) => {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

function plain(name, value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return SHARES.test(name) ? formatPercent(value) : formatNumber(value);
  if (Array.isArray(value)) return value.map((part) => plain(name, part)).join(" to ");
  return String(value);
}

const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isFlat = (value) =>
  isRecord(value) && Object.values(value).every((part) => part === null || typeof part !== "object");
const isNotes = (name) => /notes|warnings/.test(name);

/** The report as elements. */
export function reportView(report) {
  const entries = Object.entries(report ?? {}).filter(
    ([, value]) => value !== null && (typeof value !== "object" || Object.keys(value).length),
  );
  const isLong = (value) => typeof value === "string" && value.length > LONGEST_FACT;
  const scalars = entries.filter(([, value]) => typeof value !== "object" && !isLong(value));
  return h(
    "div",
    { class: "stack" },
    entries
      .filter(([name]) => isNotes(name))
      .map(([, texts]) =>
        h(
          "div",
          { class: "note plain" },
          h(
            "ul",
            { class: "notes" },
            [texts].flat().map((text) => h("li", null, String(text))),
          ),
        ),
      ),
    scalars.length ? facts(scalars.map(([name, value]) => [words(name), plain(name, value)])) : null,
    entries
      .filter(([, value]) => isLong(value))
      .map(([name, value]) => h("p", { class: "hint" }, `${words(name)}: ${value}`)),
    entries
      .filter(([name, value]) => Array.isArray(value) && !isNotes(name))
      .map(([name, value]) => part(name, list(name, value))),
    entries.filter(([, value]) => isRecord(value)).map(([name, value]) => part(name, record(name, value))),
  );
}

const part = (name, content) => h("div", { class: "tight" }, h("h3", null, words(name)), content);

function list(name, values) {
  if (values.every(isFlat)) return rows(name, Object.keys(values[0]), values);
  const shown = values
    .slice(0, LONGEST_LIST)
    .map((value) => plain(name, value))
    .join(", ");
  return h("p", null, values.length > LONGEST_LIST ? `${shown}, … (${values.length} in all)` : shown);
}

/** A record of like records (sensors, kinds of model) is a table with a row for each; what stands beside them goes above it. */
function record(name, value) {
  const inner = Object.entries(value).filter(([, child]) => isFlat(child));
  if (inner.length < 1 || inner.length < Object.values(value).filter(isRecord).length) return reportView(value);
  const beside = Object.fromEntries(Object.entries(value).filter(([, child]) => !isRecord(child)));
  const keys = [...new Set(inner.flatMap(([, child]) => Object.keys(child)))];
  return h(
    "div",
    { class: "tight" },
    Object.keys(beside).length ? reportView(beside) : null,
    rows(
      name,
      keys,
      inner.map(([, child]) => child),
      inner.map(([key]) => key),
    ),
  );
}

function rows(name, keys, values, names = null) {
  const isNumber = (key) => values.some((value) => typeof value[key] === "number");
  const indices = values.map((_, index) => index).slice(0, 64);
  return table(
    words(name),
    [
      ...(names ? [["", (index) => names[index], "name"]] : []),
      ...keys.map((key) => [words(key), (index) => plain(key, values[index][key]), isNumber(key) ? "num" : null]),
    ],
    indices,
  );
}
