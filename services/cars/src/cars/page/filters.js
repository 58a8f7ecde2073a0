/** What the gallery shows: controls for the filters, and the address that says the same. */

import { button, h, labelled, show } from "../ui/script.js";
import { statuses } from "./answer.js";

const TYPING_MS = 300;
const NAMES = ["q", "status", "make", "model", "from", "to", "sure"];
const SURE = [
  ["", "Any"],
  ["0.9-", "90 % and more"],
  ["0.7-0.9", "70 to 90 %"],
  ["0.5-0.7", "50 to 70 %"],
  ["-0.5", "below 50 %"],
];

export class Filters {
  /** `changed()` hears when somebody has chosen something else. */
  constructor(form, changed) {
    this.form = form;
    this.timer = null;
    const text = (name, label, more = {}) =>
      labelled(label, h("input", { id: `filter-${name}`, name, autocomplete: "off", ...more }));
    const choice = (name, label, options) =>
      labelled(
        label,
        h(
          "select",
          { id: `filter-${name}`, name },
          options.map(([value, word]) => h("option", { value }, word)),
        ),
      );
    show(
      form,
      text("q", "Name or label", { type: "search", maxlength: 255 }),
      choice("status", "Status", [["", "Any"], ...statuses()]),
      text("make", "Make", { list: "makes", maxlength: 255 }),
      text("model", "Model", { list: "models-of-make", maxlength: 255 }),
      text("from", "From", { type: "date" }),
      text("to", "To", { type: "date" }),
      choice("sure", "Confidence", SURE),
      button("Show all", () => this.fill(new URLSearchParams(), true), "small"),
      (this.makes = h("datalist", { id: "makes" })),
      (this.models = h("datalist", { id: "models-of-make" })),
    );
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(changed, TYPING_MS);
    });
    this.changed = changed;
  }

  /** Offers the makes and models that the shipped model knows. */
  offer(labels) {
    const options = (values) => [...new Set(values.filter(Boolean))].sort().map((value) => h("option", { value }));
    show(this.makes, options(labels.map(({ make }) => make)));
    show(this.models, options(labels.map(({ model }) => model)));
  }

  /** What is chosen, as the address has it. */
  get chosen() {
    const data = new FormData(this.form);
    return new URLSearchParams(NAMES.map((name) => [name, data.get(name)?.trim() ?? ""]).filter(([, value]) => value));
  }

  fill(chosen, isNew = false) {
    for (const name of NAMES) this.form.elements[name].value = chosen.get(name) ?? "";
    if (isNew) this.changed();
  }

  /** The same as the list's own parameters. */
  get query() {
    const { q, status, make, model, from, to, sure } = Object.fromEntries(this.chosen);
    const [least, most] = sure?.split("-") ?? [];
    const all = {
      q,
      status,
      make,
      model,
      uploaded_from: from && midnight(from),
      uploaded_to: to && midnight(to, 1),
      confidence_min: least,
      confidence_max: most,
    };
    return Object.entries(all).filter(([, value]) => value);
  }
}

/** The beginning of a day of the user's own clock, some days later. */
function midnight(day, later = 0) {
  const date = new Date(`${day}T00:00`);
  date.setDate(date.getDate() + later);
  return date.toISOString();
}
