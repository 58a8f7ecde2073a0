/** CSV text written so that no spreadsheet runs a cell as a formula. */

const FORMULA = /^[=+\-@\t\r\n]/;
const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i;

function writeCell(value, separator) {
  const text = String(value ?? "");
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return safe.includes(separator) || /["\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Writes rows as CSV in the given separator; a cell that a spreadsheet would run gets an apostrophe before it. */
export function writeTable(rows, separator = ",") {
  return rows.map((row) => row.map((cell) => writeCell(cell, separator)).join(separator)).join("\r\n") + "\r\n";
}
