/** What was read of a file: its pages one at a time with their boxes and lines, a summary, and every output. */

import { ProblemError, busy, button, facts, h, plural, problemBox, show } from "../ui/script.js";
import { textOf } from "./answers.js";
import { copyFrom } from "./clipboard.js";
import { bands, mean, percent } from "./confidence.js";
import { LineList } from "./linelist.js";
import { Linked } from "./linked.js";
import { formatsOf } from "./outputs.js";
import { Pager } from "./pager.js";
import { Pictures } from "./pictures.js";
import { Sheet } from "./sheet.js";
import { Views } from "./views.js";
import { Zoom } from "./zoom.js";

const UNSEEN = "The text is set where it was found, because there is no picture";

export class Viewer {
  /**
   * Shows a source in `place`: {name, state, pages, total, error, seconds, answer, ownPicture(number),
   * draw(number, signal), save(format)}, a Reading or the result of a job. `actions` are buttons of the section's own.
   */
  constructor(place, source, actions = []) {
    this.source = source;
    this.actions = actions;
    this.shown = null;
    this.isPictured = false;
    this.pictures = new Pictures(source);
    this.views = new Views((name) => this.sheet.show(name));
    this.pager = new Pager(() => this.showPage());
    this.zoom = new Zoom(
      (scale) => this.sheet?.zoom(scale),
      () => this.sheet.scale,
    );
    this.linked = new Linked(
      (index, from) => this.point(index, from),
      (index, from) => this.copyLine(index, from),
    );
    this.build(place);
    this.refresh();
  }

  build(place) {
    this.facts = h("div");
    this.message = h("div");
    this.progress = h("div", { class: "reading-progress", hidden: true });
    this.copyAll = button("Copy all", () => copyFrom(this.copyAll, textOf(this.source.pages)), "small");
    this.outputs = h("div", { class: "actions outputs", role: "group", "aria-label": "Download as" });
    this.about = h("p", { class: "hint about" });
    this.stage = h("div", { class: "stage", role: "region", "aria-label": "Page with its boxes", tabindex: 0 });
    this.list = h("div", { class: "list" });
    this.pane = h(
      "div",
      { class: "pane stack" },
      h("div", { class: "toolbar" }, this.pager.element, this.about, this.views.element, this.zoom.element),
      h("div", { class: "columns reading" }, this.stage, this.list),
      legend(),
    );
    const title = h("h2", { class: "file-name" }, this.source.name);
    const header = h("header", null, title, h("div", { class: "actions" }, this.copyAll, this.actions));
    show(
      place,
      h(
        "article",
        { class: "card stack", "aria-label": this.source.name },
        header,
        this.progress,
        this.message,
        h("div", { class: "summary" }, this.facts, this.outputs),
        this.pane,
      ),
    );
  }

  offer() {
    const formats = formatsOf(this.source);
    if (this.outputs.childElementCount === formats.length + 1) return;
    const said = h("span", { class: "label", "aria-hidden": "true" }, "Download");
    show(
      this.outputs,
      said,
      formats.map((format) => this.saver(format)),
    );
  }

  saver(format) {
    const pressed = button(format.text, () => busy(pressed, () => this.save(format)), "small");
    return pressed;
  }

  async save(format) {
    show(this.message);
    try {
      await this.source.save(format);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  /** Draws what has come up since; the page that is looked at stays. */
  refresh() {
    const { pages, total, state } = this.source;
    const isOver = state !== "running" && state !== "queued";
    this.pane.hidden = !pages.length;
    this.copyAll.hidden = this.facts.hidden = !pages.length;
    this.outputs.hidden = !(isOver && pages.length);
    if (isOver) this.offer();
    show(this.facts, pages.length > 0 && this.summary());
    this.pager.update(
      pages.map((page) => page.number),
      total,
    );
    if (pages.length && !this.shown) this.showPage();
    this.fetchAhead();
  }

  /** Lets go of what it holds; it is not shown any more. */
  close() {
    this.shown = null;
    this.isPictured = false;
    this.pictures.keep([]);
  }

  summary() {
    const { pages, total, seconds, state } = this.source;
    const lines = pages.flatMap((page) => page.lines);
    const byText = pages.filter((page) => page.source === "text").length;
    const count = state === "running" && total ? `${pages.length} of ${total}` : pages.length;
    return facts([
      ["Pages", byText ? `${count}, ${byText === pages.length ? "all" : byText} by text layer` : count],
      ["Lines", lines.length.toLocaleString("en")],
      ["Mean confidence", lines.length ? percent(mean(lines)) : null],
      ["Seconds", seconds === null ? null : seconds.toFixed(2)],
    ]);
  }

  showPage() {
    const page = this.source.pages[this.pager.index];
    if (!page || page === this.shown) return;
    this.shown = page;
    this.sheet = new Sheet(page, this.linked);
    this.lines = new LineList(page, this.linked);
    this.sayAbout();
    this.zoom.apply();
    show(this.stage, this.sheet.element);
    show(this.list, this.lines.element);
    this.stage.scrollTo(0, 0);
    this.showPicture();
  }

  /** Puts the page's picture under its boxes as soon as it is there; until then, and without one, there is its text. */
  async showPicture() {
    const { pictures, sheet, shown: page, source } = this;
    this.isPictured = false;
    this.views.element.hidden = true;
    if (!source.ownPicture(page.number)) sheet.show("text");
    pictures.keep([page.number, this.next?.number]);
    try {
      const image = await pictures.of(page.number);
      if (this.sheet === sheet && this.shown) this.setPicture(image);
    } catch (error) {
      if (this.sheet === sheet && this.shown) this.showNoPicture(error);
    }
  }

  setPicture(image) {
    this.isPictured = true;
    this.sheet.setPicture(image);
    this.sheet.show(this.views.name);
    this.views.element.hidden = false;
    this.fetchAhead();
  }

  /** Says why there is no picture; an AbortError only says that nobody looks any more. */
  showNoPicture(error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof ProblemError || error.name === "EncodingError")) throw error;
    this.sheet.show("text");
    this.sayAbout(`${UNSEEN}${error instanceof ProblemError ? `: ${error.message}` : ""}`);
  }

  get next() {
    return this.source.pages[this.pager.index + 1];
  }

  /** Fetches the next page's picture, once that of the page that is looked at is there. */
  fetchAhead() {
    if (this.isPictured && this.next) this.pictures.of(this.next.number);
  }

  sayAbout(note = null) {
    const { width, height, source, reason, seconds, lines } = this.shown;
    const by = source === "text" ? "text layer of the PDF" : "OCR";
    const parts = [
      `${width} × ${height} px`,
      plural(lines.length, "line"),
      reason ? `${by}: ${reason}` : source === "text" ? by : null,
      Number.isFinite(seconds) ? `${seconds.toFixed(2)} s` : null,
      note,
    ];
    show(this.about, parts.filter(Boolean).join(" · "));
  }

  point(index, from) {
    this.sheet.point(index);
    this.lines.point(index);
    if (index === null) return;
    if (from === this.lines.element) this.revealBox(index, from);
    else this.lines.reveal(index);
  }

  /** Only for the keyboard: a picture that moves under the pointer's list is a nuisance. */
  revealBox(index, from) {
    if (from.matches(":focus-within")) this.sheet.reveal(index);
  }

  copyLine(index, from) {
    const line = this.shown.lines[index];
    const element = from === this.lines.element ? this.lines.items[index] : this.sheet.tip;
    copyFrom(element, line.text);
  }
}

const legend = () =>
  h(
    "p",
    { class: "legend hint" },
    "Confidence:",
    bands().map(({ name, text }) =>
      h("span", { class: `key ${name}` }, h("span", { class: "swatch", "aria-hidden": "true" }), text),
    ),
    h("span", null, "A click on a line or box copies its text."),
  );
