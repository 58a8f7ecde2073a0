/** The ways to set a threshold, as a form: by hand, or by a method and its parameters. */

import { h, labelled, show } from "../ui/script.js";

const PERCENT = { min: 0.0001, max: 20, "data-percent": true };

/** [name, title, what it does, fields: [name, label, value, attributes]]. */
const METHODS = [
  [
    "manual",
    "As dragged",
    "The position of the handle in the histogram.",
    [["threshold", "Threshold", "", { min: 0 }]],
  ],
  ["automatic", "Automatic", "The service picks the method that the held-back rows can support.", []],
  [
    "percentile",
    "Percentile",
    "So many percent of the held-back normal rows lie below.",
    [
      ["percentile", "Percentile (95 to 99.9)", "99", { min: 95, max: 99.9 }],
      ["margin", "Times a margin of", "1", { min: 0.1, max: 10 }],
    ],
  ],
  [
    "false_alarm_rate",
    "False-alarm rate",
    "The share of normal rows that may alarm, corrected for rows that resemble their neighbours.",
    [["rate", "Rate in percent", "0.5", PERCENT]],
  ],
  [
    "extreme_value",
    "Extreme value",
    "A tail fitted to the largest errors: for rates rarer than the rows themselves can show.",
    [["rate", "Rate in percent", "0.01", PERCENT]],
  ],
];

export function methodTitle(method) {
  return METHODS.find(([name]) => name === method)?.[1] ?? method.replaceAll("_", " ");
}

/** The form; `onType(threshold)` follows what is typed for a threshold by hand. */
export class MethodForm {
  constructor(form, onType) {
    this.form = form;
    this.message = h("div", { role: "status" });
    const submit = h("button", { type: "submit", class: "primary" }, "Apply");
    show(
      form,
      h("header", null, h("h2", null, "Set a threshold")),
      h("fieldset", { class: "tight" }, h("legend", { class: "visually-hidden" }, "Method"), METHODS.map(choice)),
      h("div", { class: "actions" }, submit, h("span", { class: "hint" }, "Makes a new version, active at once.")),
      this.message,
    );
    this.submit = submit;
    this.manual = form.querySelector("#manual-threshold");
    this.manual.addEventListener("input", () => Number(this.manual.value) > 0 && onType(Number(this.manual.value)));
    form.elements.method.forEach((radio) => radio.addEventListener("change", () => this.choose(radio.value)));
    this.choose("manual");
  }

  /** Shows the fields of a method; the others' are disabled, so that they need not be valid. */
  choose(chosen) {
    this.form.elements.method.value = chosen;
    for (const [method] of METHODS) {
      const body = this.form.querySelector(`#method-${method}`);
      body.hidden = method !== chosen;
      for (const input of body.querySelectorAll("input")) input.disabled = body.hidden;
    }
  }

  setManual(threshold) {
    this.manual.value = String(Number(threshold.toPrecision(5)));
  }

  /** The body of `PUT threshold`. */
  body() {
    const method = this.form.elements.method.value;
    const inputs = [...this.form.querySelectorAll(`#method-${method} input`)];
    const value = (input) => Number(input.value) / (input.dataset.percent === undefined ? 1 : 100);
    const values = Object.fromEntries(inputs.map((input) => [input.name, value(input)]));
    return method === "manual" ? values : { method, ...values };
  }
}

function choice([name, title, text, fields]) {
  const radio = h("input", { type: "radio", name: "method", value: name });
  const inputs = fields.map((field) => parameter(name, field));
  const body = [h("p", { class: "hint" }, text), h("div", { class: "row" }, inputs)];
  return h(
    "div",
    { class: "choice" },
    h("label", { class: "check" }, radio, title),
    h("div", { class: "choice-body", id: `method-${name}` }, body),
  );
}

function parameter(method, [name, label, value, attributes]) {
  const common = { type: "number", id: `${method}-${name}`, name, value, required: true, step: "any" };
  return labelled(label, h("input", { ...common, ...attributes }));
}
