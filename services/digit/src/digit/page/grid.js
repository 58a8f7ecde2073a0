/** The table of results, a page of rows at a time, with a digit to type over in each. */

import { button, h, mark, plural, show } from "../ui/script.js";
import { formatSure } from "./digitview.js";
import { KINDS, NONE, heldOf, kindOf, saidOf } from "./rows.js";
import { Thumbs } from "./thumbs.js";

export const PAGE_ROWS = 50;
const COLUMNS = [
  ["number", "#", "num"],
  [null, "Picture", "picture"],
  ["name", "Name", "name"],
  ["digit", "Digit", "digit"],
  ["confidence", "Confidence", "confidence"],
  ["status", "Status", "status"],
];
const MOVES = { ArrowUp: -1, ArrowDown: 1, Enter: 1 };

export class Grid {
  /** `sorted(by)` is called for a heading, `corrected(row)` after a correction, `opened(row)` for a picture. */
  constructor(place, pager, { sorted, corrected, opened }) {
    Object.assign(this, { place, pager, sorted, corrected, opened });
    this.thumbs = new Thumbs();
    this.rows = [];
    this.page = 0;
    this.drawn = [];
    this.elements = new Map();
    place.addEventListener("input", (event) => this.typed(event.target));
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("focusin", ({ target }) => target.select?.());
  }

  get pages() {
    return Math.max(1, Math.ceil(this.rows.length / PAGE_ROWS));
  }

  /** Shows these rows; where the visible ones are the same as before, nothing on the screen moves. */
  show(rows, order) {
    this.rows = rows;
    this.page = Math.min(this.page, this.pages - 1);
    const visible = rows.slice(this.page * PAGE_ROWS, (this.page + 1) * PAGE_ROWS);
    this.showPager();
    const same = visible.length === this.drawn.length && visible.every((row, index) => row === this.drawn[index]);
    if (same && order === this.order) return;
    this.order = order;
    this.drawn = visible;
    this.draw();
  }

  /** Shows another page of the same rows, from its top. */
  turn(page) {
    this.page = page;
    this.show(this.rows, this.order);
    this.place.scrollIntoView({ block: "start" });
  }

  draw() {
    const focused = this.rowOf(document.activeElement);
    this.elements = new Map(this.drawn.map((row) => [row, this.elements.get(row) ?? this.element(row)]));
    const none = h("tr", null, h("td", { colspan: COLUMNS.length, class: "empty" }, "No picture is like this."));
    const caption = h("caption", { class: "visually-hidden" }, "Pictures and what they were read as");
    const head = h(
      "tr",
      null,
      COLUMNS.map((column) => this.heading(column)),
    );
    const body = this.drawn.length ? [...this.elements.values()] : none;
    show(this.place, h("table", { class: "results" }, caption, h("thead", null, head), h("tbody", null, body)));
    if (focused) this.inputOf(focused)?.focus({ preventScroll: true });
  }

  heading([by, text, kind]) {
    if (!by) return h("th", { scope: "col", class: kind }, text);
    const isSorted = this.order.by === by;
    const direction = this.order.descending ? "descending" : "ascending";
    const arrow = isSorted ? (this.order.descending ? " ↓" : " ↑") : "";
    const sorter = button([text, h("span", { "aria-hidden": "true" }, arrow)], () => this.sortBy(by), "sorter");
    return h("th", { scope: "col", class: kind, "aria-sort": isSorted ? direction : null }, sorter);
  }

  sortBy(by) {
    this.sorted(by);
    const index = COLUMNS.findIndex(([name]) => name === by);
    this.place.querySelectorAll("th")[index].querySelector("button").focus();
  }

  element(row) {
    return h(
      "tr",
      { "data-row": row.number },
      h("td", { class: "num" }, String(row.number)),
      h("td", { class: "picture" }, this.pictureOf(row)),
      h("td", { class: "name" }, row.name),
      h("td", { class: "digit" }, row.error === null ? digitInput(row) : h("span", { class: "no-digit muted" }, "–")),
      h("td", { class: "confidence" }, row.error === null ? confidenceBar(row.confidence) : ""),
      h("td", { class: "status" }, statusOf(row)),
    );
  }

  pictureOf(row) {
    if (!row.source || row.error !== null) return h("span", { class: "thumb broken", title: "No preview" });
    const opener = button("", () => this.opened(row), "thumb-button", `Show ${row.name}`);
    opener.append(this.thumbs.canvasFor(row.source));
    return opener;
  }

  /** What somebody typed into a row: a digit, "-" for none; anything else is as if nothing had been typed. */
  typed(input) {
    const row = this.rowOf(input);
    const character = input.value.slice(-1);
    if (/^[0-9]$/.test(character)) this.set(row, Number(character));
    else if (character === "-" || character === "–") this.set(row, NONE);
    else this.set(row, null);
    if (input.value !== "" && row.correction !== null) this.focusBeside(row, 1);
  }

  set(row, value) {
    row.correction = value;
    const element = this.elements.get(row);
    const input = this.inputOf(row);
    input.value = textOf(row);
    input.select();
    show(element.querySelector(".status"), statusOf(row));
    element.classList.toggle("touched", row.correction !== null);
    this.corrected(row);
  }

  key(event) {
    const row = event.target.matches("input") ? this.rowOf(event.target) : null;
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = MOVES[event.key];
    if (step) this.focusBeside(row, event.shiftKey ? -step : step);
    else if (["Backspace", "Delete", "Escape"].includes(event.key)) this.set(row, null);
    else return;
    event.preventDefault();
  }

  /** Moves the focus to the next row up or down that has a digit, over the page's edge where there is one. */
  focusBeside(row, step) {
    let index = this.rows.indexOf(row) + step;
    while (this.rows[index] && this.rows[index].error !== null) index += step;
    const next = this.rows[index];
    if (!next) return;
    if (!this.elements.has(next)) {
      this.page = Math.floor(index / PAGE_ROWS);
      this.show(this.rows, this.order);
    }
    const input = this.inputOf(next);
    input.focus({ preventScroll: true });
    input.scrollIntoView({ block: "nearest" });
  }

  rowOf(element) {
    const number = element?.closest?.("tr[data-row]")?.dataset.row;
    return number === undefined ? null : this.drawn.find((row) => row.number === Number(number));
  }

  inputOf(row) {
    return this.elements.get(row)?.querySelector("input");
  }

  showPager() {
    this.pager.hidden = this.rows.length <= PAGE_ROWS;
    const first = this.page * PAGE_ROWS + 1;
    const last = Math.min(this.rows.length, first + PAGE_ROWS - 1);
    const text = `${first.toLocaleString("en")} to ${last.toLocaleString("en")} of ${plural(this.rows.length, "picture")}`;
    if (!this.turners) this.makePager();
    const [begin, back, said, on, end] = this.turners;
    for (const control of [begin, back]) control.disabled = this.page === 0;
    for (const control of [on, end]) control.disabled = this.page === this.pages - 1;
    said.textContent = text;
  }

  makePager() {
    this.turners = [
      button("«", () => this.turn(0), "small", "First page"),
      button("‹", () => this.turn(this.page - 1), "small", "Page before"),
      h("span", { role: "status" }),
      button("›", () => this.turn(this.page + 1), "small", "Next page"),
      button("»", () => this.turn(this.pages - 1), "small", "Last page"),
    ];
    show(this.pager, this.turners);
  }
}

const textOf = (row) => (heldOf(row) === NONE ? "–" : String(heldOf(row)));

function digitInput(row) {
  const input = h("input", {
    class: "digit-input",
    inputmode: "numeric",
    maxlength: 2,
    autocomplete: "off",
    "aria-label": `Digit of ${row.name}`,
    "aria-describedby": "files-help",
  });
  input.value = textOf(row);
  return input;
}

function confidenceBar(confidence) {
  const length = h("span", { class: "bar-length" });
  length.style.width = `${100 * confidence}%`;
  return h(
    "div",
    { class: "sure" },
    h("span", { class: "bar-track", "aria-hidden": "true" }, length),
    h("span", null, formatSure(confidence)),
  );
}

const MARKS = { error: "failed", corrected: "acknowledged", wrong: "anomaly", none: "warning", unsure: "minor" };

function statusOf(row) {
  const kind = kindOf(row);
  if (kind === "error") return [mark("failed", "error"), h("span", { class: "reason" }, row.error)];
  if (kind === "corrected")
    return [mark(MARKS.corrected, "corrected"), h("span", { class: "muted" }, ` was ${saidText(row)}`)];
  if (row.correction !== null) return mark("succeeded", "confirmed");
  if (kind === "wrong") return [mark(MARKS.wrong, "wrong"), h("span", { class: "muted" }, ` label ${row.label}`)];
  return kind ? mark(MARKS[kind], KINDS[kind][0].toLowerCase()) : h("span", { class: "muted" }, "read");
}

const saidText = (row) => (saidOf(row) === NONE ? "no digit" : String(saidOf(row)));
