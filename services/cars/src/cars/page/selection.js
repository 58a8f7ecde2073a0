/** What can be done with the pictures that are selected, all at once. */

import { ProblemError, announce, api, busy, button, confirm, h, plural, problemBox, show } from "../ui/script.js";
import { recogniseAll } from "./recognise.js";
import { eachOf } from "./parallel.js";

const AT_ONCE = 4;
const HINT =
  "Select pictures to work on several at once. On the keyboard: arrows move, Space selects, Enter opens, Delete deletes.";

export class Selection {
  /** `done()` hears that the pictures have changed. */
  constructor(app, place, message, tiles, done) {
    Object.assign(this, { app, place, message, tiles, done });
    this.count = h("p", { role: "status" });
    this.bar = h("progress", { "aria-label": "Progress", max: 1, hidden: true });
    const act = (text, action, title, kind = "small") => {
      const pressed = button(text, () => busy(pressed, () => this.run(action)), kind);
      pressed.title = title;
      return pressed;
    };
    this.actions = h(
      "div",
      { class: "actions" },
      act("Recognise", () => this.recognise(), "Recognise those that have not been recognised yet"),
      act("Reprocess", () => this.reprocess(), "Take the results back and recognise again; corrections stay"),
      act("Delete", () => this.remove(), "Delete the pictures and all that is known of them", "small danger"),
      button("Select none", () => tiles.selectAll(false), "small quiet"),
    );
    this.all = button("Select all shown", () => tiles.selectAll(true), "small quiet");
    show(place, this.count, this.all, this.actions, this.bar);
    this.draw();
  }

  get ids() {
    return [...this.tiles.selected];
  }

  draw() {
    const { size } = this.tiles.selected;
    show(this.count, size ? `${size} selected` : HINT);
    this.all.hidden = size > 0 || !this.tiles.files.length;
    this.actions.hidden = !size;
    this.place.classList.toggle("active", size > 0);
    this.place.hidden = !this.tiles.files.length && !size;
  }

  /** Runs an action that resolves to failures as [id, error]. */
  async run(action) {
    show(this.message);
    const failures = await action();
    this.bar.hidden = true;
    if (!failures) return;
    show(this.message, this.told(failures));
    await this.done();
  }

  async recognise() {
    return this.recogniseThem(this.ids);
  }

  async reprocess() {
    const { ids } = this;
    const failures = await this.each(ids, (id) => api(`files/${id}/reprocess`, { method: "POST" }));
    const lost = new Set(failures.map(([id]) => id));
    return [...failures, ...(await this.recogniseThem(ids.filter((id) => !lost.has(id))))];
  }

  async recogniseThem(ids) {
    const limits = (await this.app.loadHealth())?.limits;
    return recogniseAll(ids, limits?.max_files ?? ids.length, (progress) => this.show(progress));
  }

  /** Resolves to null where somebody thinks better of it. */
  async remove() {
    const { ids } = this;
    if (!ids.length) return null;
    const text = "The pictures, what was recognised on them and all corrections are gone for good.";
    if (!(await confirm(`Delete ${plural(ids.length, "picture")}?`, text, "Delete"))) return null;
    const failures = await this.each(ids, (id) => api(`files/${id}`, { method: "DELETE" }));
    announce(`${plural(ids.length - failures.length, "picture")} deleted`);
    return failures;
  }

  async each(ids, call) {
    let over = 0;
    const counted = (id) => call(id).finally(() => this.show((over += 1) / ids.length));
    return eachOf(ids, AT_ONCE, counted);
  }

  show(progress) {
    this.bar.hidden = false;
    this.bar.value = progress;
  }

  /** The first failures, each with its file's name, and how many more there are. */
  told(failures) {
    const wrong = failures.find(([, error]) => !(error instanceof ProblemError));
    if (wrong) throw wrong[1];
    const nameOf = (id) => this.tiles.files.find((file) => file.id === id)?.filename ?? `File ${id}`;
    const some = failures.slice(0, 3).map(([id, error]) => {
      const box = problemBox(error);
      box.prepend(h("p", { class: "file-name" }, nameOf(id)));
      return box;
    });
    const others = failures.length - some.length;
    return [some, others > 0 && h("p", { class: "hint" }, `${plural(others, "more picture")} failed.`)];
  }
}
