/** What was recognised, in words: the verdict, each name with its confidence, and the top five. */

import { bars, h, mark } from "../ui/script.js";

const REASONS = {
  no_car: ["No car", "The picture shows no car, or none that can be made out."],
  unknown_model: [
    "A car that the model does not know",
    "It is none of the cars that the model was taught. The nearest are below.",
  ],
  low_confidence: ["Not sure", "It may be one of these, but none is certain enough to be counted."],
};
const STATUSES = {
  pending: "not recognised yet",
  processing: "being recognised",
  recognized: "recognised",
  unrecognized: "not recognised",
  failed: "failed",
};

export const statuses = () => Object.entries(STATUSES);

/** [key, words] of each reason for not recognising. */
export const reasons = () => Object.entries(REASONS).map(([reason, [title]]) => [reason, title]);

/** A file's state as icon and word. */
export const stateOf = (file) => mark(file.status, STATUSES[file.status] ?? file.status);

/** Never rounded up to 100 %. */
export function percent(confidence) {
  if (!Number.isFinite(confidence)) return "–";
  return confidence === 1 ? "100 %" : `${Math.floor(confidence * 1000) / 10} %`;
}

/** What a picture shows in a line: the correction, else the first label, else why there is none. */
export function titleOf({ correction, recognized, predictions, reason, status, error }) {
  if (correction) return correction.label;
  if (recognized) return predictions[0].label;
  if (status === "failed") return error?.detail ?? "Failed";
  return REASONS[reason]?.[0] ?? STATUSES[status] ?? "";
}

/** The answer as a whole; nothing for a picture that has not been recognised. */
export function answerView(answer) {
  if (answer.recognized === null) return null;
  return h(
    "div",
    { class: "answer tight" },
    verdict(answer),
    answer.car && namesView(answer.car),
    answer.predictions.length > 0 && topFive(answer),
  );
}

function verdict({ recognized, reason, predictions }) {
  if (recognized) return h("p", { class: "verdict" }, predictions[0].label);
  const [title, text] = REASONS[reason] ?? ["Not recognised", ""];
  return h(
    "div",
    { class: "note refusal" },
    h("p", null, mark("unrecognized", title)),
    h("p", { class: "hint" }, text),
  );
}

/** Make, model, body and year, each with the confidence of all cars that share it. */
function namesView(car) {
  const pairs = Object.entries({ Make: car.make, Model: car.model, Body: car.body, Year: car.year });
  return h(
    "dl",
    { class: "facts names" },
    pairs
      .filter(([, share]) => share)
      .map(([term, { value, confidence }]) =>
        h("div", null, h("dt", null, term), h("dd", null, String(value), " ", h("small", null, percent(confidence)))),
      ),
  );
}

function topFive({ predictions, recognized }) {
  const items = predictions.map(({ label, confidence }) => ({
    name: label,
    share: confidence,
    text: percent(confidence),
  }));
  const list = bars(items, "The most likely cars");
  // Of the whole track, not of the longest: half of the certainty is half of a bar.
  list.querySelectorAll(".bar-length").forEach((bar, index) => (bar.style.width = `${100 * items[index].share}%`));
  if (!recognized) list.classList.add("unsure");
  return list;
}
