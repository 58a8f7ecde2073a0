/** CSV text, read for display. */

import { toNumber } from "./values.js";

/** The separator of a table: whichever of semicolon, tab and comma its first line has most of outside quotes. */
function separatorOf(text) {
  const line = text.split("\n", 1)[0].replace(/"[^"]*"/g, "");
  const count = (mark) => line.split(mark).length - 1;
  if (count("\t")) return "\t";
  return count(";") ? ";" : ",";
}

/** All records of a CSV after RFC 4180, each with the line it starts on. */
export function readRecords(text, separator) {
  const records = [];
  let record = { line: 1, cells: [] };
  let cell = "";
  let quoted = false;
  let line = 1;
  const endCell = () => {
    record.cells.push(cell);
    cell = "";
  };
  const endRecord = () => {
    endCell();
    if (record.cells.some((value) => value.trim() !== "")) records.push(record);
    record = { line, cells: [] };
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === "\n") line += 1;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else quoted = false;
    } else if (character === '"' && cell === "") quoted = true;
    else if (character === separator) endCell();
    else if (character === "\n") endRecord();
    else if (character !== "\r") cell += character;
  }
  if (cell !== "" || record.cells.length) endRecord();
  return records;
}

/** A table for display: {separator, header (list or null), rows: [{line, cells}]}; a first row with words is a header. */
export function readTable(source) {
  const text = source.replace(/^\uFEFF/, "");
  const separator = separatorOf(text);
  const records = readRecords(text, separator);
  const isHeader =
    records.length > 0 &&
    records[0].cells.some(
      (cell) =>
        cell.trim() !== "" &&
        Number.isNaN(toNumber(cell)) &&
        Number.isNaN(Date.parse(cell)) &&
        !/^(nan|null|na)$/i.test(cell.trim()),
    );
  return {
    separator,
    header: isHeader ? records[0].cells.map((cell) => cell.trim()) : null,
    rows: isHeader ? records.slice(1) : records,
  };
}
