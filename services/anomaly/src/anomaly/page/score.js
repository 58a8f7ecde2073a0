/** Score: one row of values, judged by the active model of `default`. */

import {
  announce,
  api,
  busy,
  copyable,
  curlLine,
  empty,
  facts,
  formatNumber,
  h,
  mark,
  problemBox,
  show,
  ProblemError,
} from "../ui/script.js";
import { sharesOf } from "./shares.js";
import { activeVersion } from "./versions.js";
import { parseValues } from "./values.js";

const SEED_EXAMPLE = [1.2, 0.9, 1.1];

export function mountScore(app) {
  const form = document.querySelector("#score-form");
  const input = document.querySelector("#values");
  const result = document.querySelector("#score-result");
  const view = { sensors: null };
  show(result, header("Result"), empty("Score a row to see how far it is from normal, and which sensors make it so."));
  showCurl(SEED_EXAMPLE);
  input.addEventListener("input", () => preview(input, view));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  document.querySelector("#values-example").addEventListener("click", () => {
    input.value = example(view.sensors).join(", ");
    preview(input, view);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const read = preview(input, view);
    if (read.values) busy(form.querySelector("[type=submit]"), () => score(read.values, result));
    else input.focus();
  });
  return {
    async enter() {
      view.sensors ??= await sensorsOf();
      if (app.values) {
        input.value = app.values.join(", ");
        app.values = null;
        form.requestSubmit();
      }
      if (input.value) preview(input, view);
    },
  };
}

async function sensorsOf() {
  try {
    return (await activeVersion("default"))?.sensors ?? null;
  } catch (error) {
    if (error instanceof ProblemError) return null; // scoring itself will say what is wrong
    throw error;
  }
}

/** The middle of each sensor's range, where it has one; the seed's example for three sensors. */
function example(sensors) {
  if (!sensors || sensors.length === 3) return SEED_EXAMPLE;
  return sensors.map(({ low, high }) => (Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : 1));
}

const header = (title, extra) => h("header", null, h("h2", null, title), extra);

/** Says how the text is understood before anything is sent. */
function preview(input, view) {
  const place = document.querySelector("#values-read");
  const wanted = view.sensors?.length ?? null;
  const read = parseValues(input.value, wanted);
  if (!read.values) {
    show(place, read.error ? h("p", { class: "note" }, read.error) : null);
    return read.error ? read : { error: "empty" };
  }
  const chips = read.values.map((value, index) => chip(view.sensors?.[index], index, value));
  const wrong = wanted !== null && wanted !== read.values.length;
  show(
    place,
    h("ul", { class: "chips", "aria-label": "Read as" }, chips),
    wrong &&
      h(
        "p",
        { class: "note" },
        `${read.values.length} values; the model takes ${wanted}. Several rows are scored under CSV.`,
      ),
  );
  return read;
}

function chip(sensor, index, value) {
  const outside =
    sensor &&
    ((Number.isFinite(sensor.low) && value < sensor.low) || (Number.isFinite(sensor.high) && value > sensor.high));
  const range = outside ? ` outside ${formatNumber(sensor.low)} to ${formatNumber(sensor.high)}` : "";
  return h(
    "li",
    { class: outside ? "outside" : null },
    h("span", { class: "muted" }, sensor?.name ?? `value ${index + 1}`),
    " ",
    h("strong", null, String(value)),
    sensor?.unit ? ` ${sensor.unit}` : "",
    range && h("span", { class: "hint" }, range),
  );
}

async function score(values, place) {
  showCurl(values);
  try {
    const answer = await api("?detail=true", { method: "POST", json: { values } });
    show(place, verdict(answer));
    announce(`${answer.status}: score ${formatNumber(answer.score)}, threshold ${formatNumber(answer.threshold)}`);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    show(place, header("Result"), problemBox(error));
  }
}

/** A judged row: the state first, then the score against the threshold, then who made it. */
function verdict(answer) {
  return [
    header("Result", mark(answer.status)),
    scale(answer.score, answer.threshold),
    facts([
      ["Score", h("strong", null, formatNumber(answer.score))],
      ["Threshold", formatNumber(answer.threshold)],
      ["Score ÷ threshold", formatNumber(answer.score / answer.threshold, 3)],
      ["Severity", answer.severity === "none" ? "none" : mark(answer.severity)],
      ["Model", `${answer.model}, version ${answer.model_version}`],
    ]),
    h("div", { class: "above" }, sharesOf("Share of each sensor in the score", answer.contributions)),
  ];
}

/** The score on a track whose middle is the threshold; beyond twice the threshold it stays at the end. */
function scale(value, threshold) {
  const fill = h("span", { class: value > threshold ? "scale-fill over" : "scale-fill" });
  fill.style.width = `${Math.min(100, (50 * value) / threshold)}%`;
  return h(
    "div",
    { class: "scale", role: "img", "aria-label": `Score ${formatNumber(value)}, threshold ${formatNumber(threshold)}` },
    fill,
    h("span", { class: "scale-limit" }),
    h("span", { class: "scale-text" }, "threshold"),
  );
}

function showCurl(values) {
  show(
    document.querySelector("#score-curl"),
    h("h3", null, "The same call on the command line"),
    copyable(curlLine("POST", "?detail=true", { values }), "the curl command"),
  );
}
