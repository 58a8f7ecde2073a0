/** Files: pictures, folders and archives go in; a table that can be filtered, corrected and saved comes out. */

import { announce, button, facts, h, plural, problemBox, saveFile, show, writeTable } from "../ui/script.js";
import { Batch } from "./batch.js";
import { Grid } from "./grid.js";
import { filesOf, fromList } from "./intake.js";
import { showPicture } from "./picture.js";
import { CSV_HEADER, KINDS, accuracyOf, cellsOf, heldOf, select } from "./rows.js";

const REDRAW_MS = 200; // while answers stream in

class Files {
  constructor(app) {
    this.app = app;
    this.filter = { kind: "all", digit: null, text: "" };
    this.order = { by: "number", descending: false };
    this.pasted = 0;
    this.timer = null;
    this.stopper = button("Stop", () => this.batch.stop(), "small");
    this.starter = button("Go on", () => this.batch.goOn(), "small");
    this.batch = new Batch(
      () => [app.model, app.modelName],
      () => this.schedule(),
    );
    this.grid = new Grid(find("table"), find("pager"), {
      sorted: (by) => this.sort(by),
      corrected: () => this.showSummary(),
      opened: showPicture,
    });
    this.listen();
  }

  listen() {
    for (const name of ["input", "directory"])
      find(name).addEventListener("change", ({ target }) => {
        this.take(fromList(target.files));
        target.value = ""; // the same file can be chosen again
      });
    find("choose").addEventListener("click", () => find("input").click());
    find("folder").addEventListener("click", () => find("directory").click());
    find("search").addEventListener("input", ({ target }) => this.choose({ text: target.value }));
    find("csv").addEventListener("click", () => this.save());
    find("again").addEventListener("click", () => this.batch.again());
    find("clear").addEventListener("click", () => this.clear());
    this.listenToDrops();
    addEventListener("paste", (event) => this.paste(event));
  }

  /** A drop anywhere on the page is meant for this section; elsewhere the browser would leave the page for the file. */
  listenToDrops() {
    const zone = find("drop");
    const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      zone.classList.add("over");
    });
    addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || zone.classList.remove("over"));
    addEventListener("drop", async (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      zone.classList.remove("over");
      const files = filesOf(event.dataTransfer);
      this.app.tabs.open("files");
      this.take(await files);
    });
  }

  async paste(event) {
    const { files } = event.clipboardData;
    if (!files.length) return;
    event.preventDefault();
    this.app.tabs.open("files");
    this.take(
      fromList(files).map(({ file, path }) => ({ file, path: path === "image.png" ? this.pastedName() : path })),
    );
  }

  pastedName() {
    this.pasted += 1;
    return `pasted-${this.pasted}.png`;
  }

  async take(picked) {
    if (picked.length) await this.batch.add(picked);
  }

  /** Draws soon; what changes meanwhile is drawn along with it. */
  schedule() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.draw();
    }, REDRAW_MS);
  }

  draw() {
    this.showProgress();
    find("results").hidden = !this.batch.rows.length;
    find("drop").classList.toggle("compact", this.batch.total > 0);
    this.showSummary();
    this.showRows();
  }

  showProgress() {
    const { batch } = this;
    const { rows, total, isRunning, calls } = batch;
    const isOver = !isRunning && !calls.length;
    find("progress").hidden = !total && !isRunning;
    const bar = find("bar");
    bar.hidden = isOver;
    bar.max = Math.max(total, 1);
    bar.value = rows.length;
    const text = isOver
      ? `${plural(rows.length, "picture")} read`
      : `${rows.length.toLocaleString("en")} of ${plural(total, "picture")} read`;
    if (isOver && find("said").textContent !== text) announce(text);
    show(find("said"), text);
    show(find("actions"), isRunning && this.stopper, !isRunning && calls.length > 0 && this.starter);
    show(find("message"), batch.failure && problemBox(batch.failure, () => batch.goOn()));
  }

  showSummary() {
    const { rows } = this.batch;
    const { right, labelled } = accuracyOf(rows);
    const count = (kind) => rows.filter(KINDS[kind][1]).length;
    show(
      find("facts"),
      facts([
        ["Pictures", rows.length.toLocaleString("en")],
        [
          "Accuracy",
          labelled
            ? h(
                "span",
                null,
                h("strong", null, accuracyText(right, labelled)),
                h(
                  "span",
                  { class: "hint" },
                  ` ${right.toLocaleString("en")} of ${labelled.toLocaleString("en")} labelled`,
                ),
              )
            : null,
        ],
        ["Corrected", count("corrected").toLocaleString("en")],
      ]),
    );
    this.showKinds(count);
    this.showDigits();
  }

  showKinds(count) {
    const place = find("kinds");
    const kinds = Object.entries(KINDS).filter(([kind]) => kind === "all" || kind === this.filter.kind || count(kind));
    const chip = ([kind, [text]]) =>
      chipOf(text, count(kind), this.filter.kind === kind, () => this.choose({ kind }), kind);
    replaceChips(place, kinds.map(chip));
  }

  showDigits() {
    const counts = Array(10).fill(0);
    for (const row of this.batch.rows) if (typeof heldOf(row) === "number") counts[heldOf(row)] += 1;
    const chip = (count, digit) => {
      const isChosen = this.filter.digit === digit;
      return chipOf(String(digit), count, isChosen, () => this.choose({ digit: isChosen ? null : digit }), digit);
    };
    replaceChips(find("digits"), counts.map(chip));
  }

  choose(part) {
    Object.assign(this.filter, part);
    this.grid.page = 0;
    this.showSummary();
    this.showRows();
  }

  sort(by) {
    const descending = this.order.by === by ? !this.order.descending : false;
    this.order = { by, descending };
    this.grid.page = 0;
    this.showRows();
  }

  showRows() {
    this.grid.show(select(this.batch.rows, this.filter, this.order), this.order);
  }

  save() {
    const text = writeTable([CSV_HEADER, ...this.batch.rows.map(cellsOf)]);
    saveFile(new Blob([text], { type: "text/csv;charset=utf-8" }), "digits.csv");
  }

  clear() {
    this.batch.empty();
    this.filter = { kind: "all", digit: null, text: "" };
    find("search").value = "";
    this.draw();
    find("choose").focus();
  }
}

const find = (name) => document.querySelector(`#files-${name}`);

/** Never rounded up to 100 %. */
const accuracyText = (right, labelled) =>
  right === labelled ? "100 %" : `${Math.min(99.99, (100 * right) / labelled).toFixed(2)} %`;

const chipOf = (text, count, isChosen, choose, key) =>
  h(
    "button",
    { type: "button", class: "chip", "aria-pressed": String(isChosen), onclick: choose, "data-chip": key },
    h("strong", null, text),
    h("span", { class: "muted" }, ` ${count.toLocaleString("en")}`),
  );

/** Puts new chips in; the one that takes the focused one's place gets the focus. */
function replaceChips(place, chips) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.chip : null;
  show(place, chips);
  if (focused !== null) (chips.find((chip) => chip.dataset.chip === focused) ?? chips[0]).focus();
}

export const mountFiles = (app) => new Files(app);
