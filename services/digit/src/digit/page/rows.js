/** Pictures as rows: what the model said, what somebody says it is, and which of them are shown in which order. */

export const SURE = 0.9; // below it somebody should look
export const NONE = "none"; // a correction: there is no digit in the picture

const LABEL = /_label_([0-9])(?![0-9])/i;
const collator = new Intl.Collator("en", { numeric: true });

/** A row of the answer's line {name, prediction, confidence, is_digit} or {name, error}; `correction` is what somebody says it is. */
export function makeRow(number, name, line, { source, model }) {
  const label = LABEL.exec(name)?.[1];
  return {
    number,
    name,
    source,
    model,
    error: line.error ?? null,
    prediction: line.prediction ?? null,
    confidence: line.confidence ?? null,
    isDigit: line.is_digit ?? false,
    label: label === undefined ? null : Number(label),
    correction: null,
  };
}

/** What the model says: a digit or NONE; null where the picture was refused. */
export const saidOf = (row) => (row.error !== null ? null : row.isDigit ? row.prediction : NONE);

/** What holds now: the correction before the model's word. */
export const heldOf = (row) => row.correction ?? saidOf(row);

/** What is right as far as anybody knows: the correction before the label in the name; null where nobody knows. */
const truthOf = (row) => row.correction ?? row.label;

const isRead = (row) => row.error === null;
const isWrong = (row) => isRead(row) && truthOf(row) !== null && saidOf(row) !== truthOf(row);

export const KINDS = {
  all: ["All", () => true],
  unsure: ["Low confidence", (row) => isRead(row) && row.isDigit && row.confidence < SURE],
  none: ["No digit", (row) => isRead(row) && !row.isDigit],
  error: ["Errors", (row) => !isRead(row)],
  corrected: ["Corrected", (row) => row.correction !== null && row.correction !== saidOf(row)],
  wrong: ["Wrong", isWrong],
};

/** The kinds that a row is of, the most telling first. */
export const kindOf = (row) => ["error", "corrected", "wrong", "none", "unsure"].find((kind) => KINDS[kind][1](row));

/** {right, labelled}: how many of the pictures whose name holds a label the model read rightly; a correction overrules the label. */
export function accuracyOf(rows) {
  const labelled = rows.filter((row) => row.label !== null && isRead(row));
  return { labelled: labelled.length, right: labelled.filter((row) => !isWrong(row)).length };
}

const KEYS = {
  number: (row) => row.number,
  name: (row) => row.name,
  digit: (row) => (heldOf(row) === NONE ? 10 : (heldOf(row) ?? 11)),
  confidence: (row) => row.confidence ?? -1,
  status: (row) => ["error", "none", "wrong", "unsure", "corrected", undefined].indexOf(kindOf(row)),
};

const compare = (a, b) => (typeof a === "string" ? collator.compare(a, b) : a - b);

/** The rows that pass a filter {kind, digit, text}, sorted by {by, descending}; equal ones stay in their order. */
export function select(rows, { kind, digit, text }, { by, descending }) {
  const wanted = text.trim().toLowerCase();
  const isShown = (row) =>
    KINDS[kind][1](row) && (digit === null || heldOf(row) === digit) && row.name.toLowerCase().includes(wanted);
  const sign = descending ? -1 : 1;
  const key = KEYS[by];
  return rows
    .filter(isShown)
    .map((row) => [key(row), row])
    .sort(([a, first], [b, second]) => sign * compare(a, b) || first.number - second.number)
    .map(([, row]) => row);
}

export const CSV_HEADER = ["name", "prediction", "confidence", "is_digit", "model", "error", "correction", "label"];

/** A row's cells under CSV_HEADER. */
export const cellsOf = (row) => [
  row.name,
  row.prediction,
  row.confidence,
  row.error === null ? row.isDigit : null,
  row.model,
  row.error,
  row.correction,
  row.label,
];
