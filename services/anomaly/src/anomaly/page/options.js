/** The options of a training, as fields; one that is left empty is left to the service. */

import { h, labelled, show } from "../ui/script.js";

const NUMBERS = [
  ["window", "Window", "Rows that are judged together, 1 to 64", { min: 1, max: 64 }],
  ["epochs", "Epochs", "At most; training stops early", { min: 1, max: 10000 }],
  ["seed", "Seed", "The same seed and rows give the same model", { min: 0, max: 4294967295 }],
];
const KINDS = [
  ["auto", "The better of both"],
  ["autoencoder", "Autoencoder"],
  ["pca", "PCA"],
];
const METHODS = [
  ["automatic", "Automatic"],
  ["percentile", "Percentile"],
  ["false_alarm_rate", "False-alarm rate"],
  ["extreme_value", "Extreme value"],
];

export class Options {
  constructor(place) {
    this.place = place;
    const method = select("method", METHODS);
    const level = h("div");
    const fillLevel = () => show(level, levelOf(method.value));
    method.addEventListener("change", fillLevel);
    fillLevel();
    this.trim = h("input", { type: "checkbox", checked: true });
    show(
      place,
      labelled("Kind of model", select("kind", KINDS)),
      NUMBERS.map(([name, label, hint, limits]) => labelled(label, number(name, { step: 1, ...limits }), hint)),
      labelled("Threshold", method),
      level,
      h("label", { class: "check" }, this.trim, "Leave out rows that are clearly not normal"),
    );
  }

  /** The query of `POST train`. */
  query() {
    const query = new URLSearchParams({ trim: this.trim.checked });
    for (const { name, value } of this.place.querySelectorAll("[name]")) {
      if (value !== "") query.set(name, name === "rate" ? Number(value) / 100 : value);
    }
    return query;
  }
}

/** What the method of the threshold wants to be told. */
function levelOf(method) {
  const common = { step: "any", required: true };
  if (method === "automatic") return null;
  if (method === "percentile") {
    return labelled("Percentile", number("percentile", { ...common, min: 95, max: 99.9, value: 99 }), "95 to 99.9");
  }
  const rate = number("rate", { ...common, min: 0.0001, max: 20, value: 1 });
  return labelled("False-alarm rate in percent", rate, "Of normal rows");
}

const number = (name, attributes) => h("input", { type: "number", id: `option-${name}`, name, ...attributes });

function select(name, options) {
  const option = ([value, text]) => h("option", { value }, text);
  return h("select", { id: `option-${name}`, name }, options.map(option));
}
