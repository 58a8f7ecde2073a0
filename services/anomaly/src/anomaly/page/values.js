/** Numbers as people type and paste them: commas, semicolons, tabs, lines, spaces; decimal points and decimal commas. */

const POINT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?$/i;

/** The number that a cell means, or NaN; nothing is guessed: "1_000", "1.234,5" and "NaN" are no numbers. */
export function toNumber(text, decimalComma = true) {
  const cell = text.trim();
  if (POINT.test(cell)) return finite(Number(cell));
  if (decimalComma && COMMA.test(cell)) return finite(Number(cell.replace(",", ".")));
  return NaN;
}

const finite = (number) => (Number.isFinite(number) ? number : NaN);

function attempt(text, separator, decimalComma) {
  const cells = text
    .trim()
    .replace(/^[;,\s]+|[;,\s]+$/g, "")
    .split(separator)
    .map((cell) => cell.trim());
  const values = cells.map((cell) => toNumber(cell, decimalComma));
  const bad = values.findIndex(Number.isNaN);
  if (bad < 0) return { values };
  const shown = cells[bad].length > 40 ? `${cells[bad].slice(0, 40)}…` : cells[bad];
  return { error: shown === "" ? `Value ${bad + 1} is empty.` : `Value ${bad + 1}, "${shown}", is not a number.` };
}

/** The ways in which a text can be read, the likeliest first. */
function readings(text) {
  const separated = attempt(text, /[;\t\n]+|\s*,\s*|\s+/, false);
  if (/[;\t\n]/.test(text)) return [attempt(text, /\s*[;\t\n]\s*/, true), separated];
  if (/\.|,\s/.test(text) || !/\s/.test(text)) return [separated, attempt(text, /\s+/, true)];
  return [attempt(text, /\s+/, true), separated];
}

/** Reads JSON (`[…]` or `{"values":[…]}`) or typed numbers; where two readings are possible, the one with `wanted` numbers. */
export function parseValues(input, wanted = null) {
  const text = input.trim().replaceAll("\r", "");
  if (!text) return { error: "" };
  if (/^[[{]/.test(text)) return parseJson(text);
  const ways = readings(text);
  return ways.find((way) => way.values?.length === wanted) ?? ways.find((way) => way.values) ?? ways[0];
}

function parseJson(text) {
  try {
    const parsed = JSON.parse(text);
    const values = Array.isArray(parsed) ? parsed : parsed.values;
    if (Array.isArray(values) && values.every((value) => typeof value === "number" && Number.isFinite(value)))
      return { values };
  } catch {
    // said below, in the same words for every kind of bad JSON
  }
  return { error: 'This is not a JSON list of numbers such as [1.2, 0.9] or {"values": [1.2, 0.9]}.' };
}
