/** The lines of a page as a list whose text can be selected. */

import { empty, h, mark, show } from "../ui/script.js";
import { bandOf, percent } from "./confidence.js";

const MARKS = { fair: "minor", weak: "anomaly" };

export class LineList {
  /** `linked` hears of the lines that are pointed at and chosen. */
  constructor(page, linked) {
    this.items = page.lines.map(lineView);
    this.element = page.lines.length
      ? h("ol", { class: "lines", role: "listbox", "aria-label": `Lines of page ${page.number}` }, this.items)
      : h("div", { class: "lines" });
    if (page.lines.length) linked.listen(this.element);
    else show(this.element, empty("No text was found on this page."));
  }

  point(index) {
    for (const item of this.items) item.classList.toggle("on", Number(item.dataset.line) === index);
  }

  /** Brings a line into view without moving the page around the list. */
  reveal(index) {
    const item = this.items[index];
    if (!item) return;
    const { element } = this;
    const top = item.offsetTop - element.offsetTop;
    if (top < element.scrollTop) element.scrollTop = top;
    const over = top + item.offsetHeight - element.clientHeight;
    if (over > element.scrollTop) element.scrollTop = over;
  }
}

function lineView(line, index) {
  const band = bandOf(line.confidence);
  const sure = percent(line.confidence);
  return h(
    "li",
    { class: band.name, role: "option", "aria-selected": "false", "data-line": index, tabindex: index ? -1 : 0 },
    h("span", { class: "line-text", dir: "auto" }, line.text || "(not read)"),
    h("span", { class: "line-sure" }, MARKS[band.name] ? mark(MARKS[band.name], sure) : sure),
  );
}
