/** What somebody says that a picture shows: chosen from the known cars or in their own words, beside the prediction. */

import { ProblemError, announce, api, busy, button, h, problemBox, show, time } from "../ui/script.js";
import { Combobox } from "./combobox.js";

const MOST_CHARS = 128;

export class CorrectionForm {
  /** `changed(file)` hears of the file once the correction is kept or taken back. */
  constructor(app, file, changed) {
    Object.assign(this, { app, file, changed });
    this.message = h("div");
    this.box = new Combobox("correction", "It is", { maxlength: MOST_CHARS, required: true });
    this.saver = h("button", { type: "submit", class: "small primary" }, "Keep");
    this.element = h(
      "form",
      { class: "stack" },
      h("header", null, h("h3", null, "Correction")),
      this.said(),
      this.box.element,
      h("div", { class: "actions" }, this.saver, file.correction && this.taker()),
      this.message,
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      busy(this.saver, () => this.keep());
    });
    this.offer();
  }

  said() {
    const { correction, predictions } = this.file;
    if (!correction)
      return h("p", { class: "hint" }, "Say what it is where the model is wrong: filters and statistics go by it.");
    const label = h("p", { class: "verdict" }, correction.label);
    const was = predictions[0] ? `, the model says ${predictions[0].label}` : "";
    return h("div", null, label, h("p", { class: "hint" }, "Kept ", time(correction.corrected_at), was));
  }

  taker() {
    const pressed = button("Take back", () => busy(pressed, () => this.call({ method: "DELETE" })), "small");
    return pressed;
  }

  /** What the model says stands first, then every car that it knows. */
  async offer() {
    const nearest = this.file.predictions.map(({ label }) => label);
    this.box.offer(nearest);
    if (!(await this.app.isAdmitted())) return;
    const others = this.app.labels.map(({ name }) => name).filter((name) => !nearest.includes(name));
    this.box.offer([...nearest, ...others]);
  }

  async keep() {
    const label = this.box.input.value.trim();
    if (label) await this.call({ method: "PUT", json: { label } });
  }

  async call(options) {
    show(this.message);
    try {
      const file = await api(`files/${this.file.id}/correction`, options);
      announce(file.correction ? `Kept: ${file.correction.label}` : "The correction is taken back");
      this.changed(file);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }
}
