/** Pictures as tiles: links to look closer, boxes to select them, arrow keys to go from one to the next. */

import { h, show } from "../ui/script.js";
import { percent, stateOf, titleOf } from "./answer.js";
import { pictureOf } from "./picture.js";

export class Tiles {
  /** `heard.changed()` hears when others are selected, `heard.remove()` the key Delete. */
  constructor(place, heard) {
    Object.assign(this, { place, heard, files: [], selected: new Set(), last: null });
    place.addEventListener("change", (event) => this.check(event));
    place.addEventListener("click", (event) => this.extend(event));
    place.addEventListener("keydown", (event) => this.press(event));
  }

  /** Shows these files alone; what is selected of them stays selected. */
  show(files) {
    const focused = this.place.contains(document.activeElement) ? this.focusedAt() : -1;
    this.files = files;
    this.selected = new Set(files.map(({ id }) => id).filter((id) => this.selected.has(id)));
    show(
      this.place,
      files.map((file) => this.tile(file)),
    );
    this.rove(this.links[Math.max(0, Math.min(focused, files.length - 1))], focused >= 0);
    this.heard.changed();
  }

  /** One tile has the only tab stop; the keys below move it. */
  rove(link, takesFocus = true) {
    this.place.querySelector('a[tabindex="0"]')?.setAttribute("tabindex", "-1");
    link?.setAttribute("tabindex", "0");
    if (takesFocus) link?.focus();
  }

  add(files) {
    this.files.push(...files);
    this.place.append(...files.map((file) => this.tile(file)));
  }

  get links() {
    return [...this.place.querySelectorAll("a")];
  }

  focusedAt() {
    return [...this.place.children].indexOf(document.activeElement.closest("li"));
  }

  tile(file) {
    const title = titleOf(file);
    const sure = file.recognized && !file.correction ? percent(file.predictions[0].confidence) : null;
    return h(
      "li",
      { class: "tile", "data-id": file.id },
      h("input", {
        type: "checkbox",
        "aria-label": `Select ${file.filename}`,
        checked: this.selected.has(file.id),
        tabindex: -1,
      }),
      h(
        "a",
        { href: `#file/${file.id}`, tabindex: -1 },
        h("span", { class: "tile-picture" }, pictureOf(file, "thumbnail", "")),
        h("span", { class: "tile-title" }, title, sure && h("small", null, ` ${sure}`)),
        h("span", { class: "tile-name" }, file.filename),
        h("span", { class: "tile-state" }, stateOf(file), file.correction && h("small", null, "corrected")),
      ),
    );
  }

  check({ target }) {
    this.select(Number(target.closest("li").dataset.id), target.checked);
  }

  /** A click with Shift selects everything from the last one on. */
  extend(event) {
    const box = event.target.closest("input");
    if (!box) return;
    const at = [...this.place.children].indexOf(box.closest("li"));
    if (event.shiftKey && this.last !== null) {
      const [first, last] = [Math.min(at, this.last), Math.max(at, this.last)];
      for (const { id } of this.files.slice(first, last + 1)) this.select(id, box.checked);
    }
    this.last = at;
  }

  select(id, isSelected) {
    if (isSelected) this.selected.add(id);
    else this.selected.delete(id);
    const box = this.place.querySelector(`[data-id="${id}"] input`);
    if (box) box.checked = isSelected;
    this.heard.changed();
  }

  selectAll(isSelected) {
    for (const { id } of this.files) this.select(id, isSelected);
  }

  press(event) {
    const { links } = this;
    const at = this.focusedAt();
    const perRow = links.filter(({ offsetTop }) => offsetTop === links[0]?.offsetTop).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow, Home: -at, End: links.length };
    if (event.key in steps) this.rove(links[Math.max(0, Math.min(at + steps[event.key], links.length - 1))]);
    else if (event.key === " ") this.select(this.files[at].id, !this.selected.has(this.files[at].id));
    else if (event.key === "a" && (event.ctrlKey || event.metaKey)) this.selectAll(true);
    else if (event.key === "Escape") this.selectAll(false);
    else if (event.key === "Delete") this.heard.remove();
    else return;
    event.preventDefault();
  }
}
