/** Threshold: the errors of held-back normal rows, and where the line is drawn. */

import { ProblemError, api, busy, facts, formatNumber, formatPercent, guarded, h, histogram, loading, plural, problemBox, show, trendChart } from "../ui/script.js";
import { modelPath } from "./versions.js";

/** Methods of `PUT threshold`: [name, title, what it does, fields: [name, label, value, attributes]]. */
const METHODS = [
  ["manual", "As dragged", "The position of the handle in the histogram.", [["threshold", "Threshold", "", { min: 0, step: "any" }]]],
  ["automatic", "Automatic", "The service picks the method that the held-back rows can support.", []],
  ["percentile", "Percentile", "So many percent of the held-back normal rows lie below.", [["percentile", "Percentile (95 to 99.9)", "99", { min: 95, max: 99.9, step: "any" }], ["margin", "Times a margin of", "1", { min: 0.1, step: "any" }]]],
  ["false_alarm_rate", "False-alarm rate", "The share of normal rows that may alarm, corrected for rows that resemble their neighbours.", [["rate", "Rate in percent", "0.5", { min: 0.0001, max: 20, step: "any", "data-percent": true }]]],
  ["extreme_value", "Extreme value", "A tail fitted to the largest errors: for rates rarer than the rows themselves can show.", [["rate", "Rate in percent", "0.01", { min: 0.0001, max: 20, step: "any", "data-percent": true }]]],
];

/** The nominal false-alarm rate at a threshold, between the points of the calibration curve (logarithmic in the rate). */
export function rateAt(curve, threshold) {
  const points = [...(curve ?? [])].sort((a, b) => a.threshold - b.threshold);
  if (!points.length) return null;
  if (threshold <= points[0].threshold) return { rate: points[0].false_alarm_rate, bound: threshold < points[0].threshold ? "at least" : "" };
  const next = points.findIndex((point) => point.threshold >= threshold);
  if (next < 0) return { rate: points.at(-1).false_alarm_rate, bound: "at most" };
  const [a, b] = [points[next - 1], points[next]];
  const share = (threshold - a.threshold) / (b.threshold - a.threshold || 1);
  const [low, high] = [Math.max(a.false_alarm_rate, 1e-9), Math.max(b.false_alarm_rate, 1e-9)];
  return { rate: low * (high / low) ** share, bound: "" };
}

class Threshold {
  constructor(app) {
    this.app = app;
    this.message = document.querySelector("#threshold-message");
    this.body = document.querySelector("#threshold-body");
    this.form = document.querySelector("#threshold-form");
    this.log = document.querySelector("#threshold-log");
    this.chart = histogram(document.querySelector("#threshold-chart"), {
      label: "histogram of errors", height: 300, onChange: (threshold) => this.moved(threshold), describe: (threshold) => `${formatNumber(threshold)}, ${this.effect(threshold)}`,
    });
    this.curve = trendChart(document.querySelector("#threshold-curve"), { label: "Nominal false-alarm rate by threshold", height: 150, xFormat: (x) => formatNumber(x, 3), yFormat: (rate) => formatPercent(rate), summary: () => "Each point of the curve: arrow keys." });
    this.log.addEventListener("change", () => this.chart.draw({ logarithmic: this.log.checked }));
    this.buildForm();
    this.form.addEventListener("submit", (event) => this.apply(event));
    document.querySelector("#recalibrate-form").addEventListener("submit", (event) => this.recalibrate(event));
  }

  buildForm() {
    const choices = METHODS.map(([name, title, text, fields]) => h("div", { class: "choice" },
      h("label", { class: "check" }, h("input", { type: "radio", name: "method", value: name, checked: name === "manual", onchange: () => this.choose() }), title),
      h("div", { class: "choice-body", id: `method-${name}` }, h("p", { class: "hint" }, text), h("div", { class: "row" }, fields.map((spec) => field(name, spec))))));
    this.applied = h("div", { role: "status" });
    this.dragged = null;
    show(this.form, h("header", null, h("h2", null, "Set a threshold")), h("fieldset", { class: "tight" }, h("legend", { class: "visually-hidden" }, "Method"), choices),
      h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Apply"), h("span", { class: "hint" }, "Makes a new version, active at once.")), this.applied);
    this.manual = this.form.querySelector("#manual-threshold");
    this.manual.addEventListener("input", () => Number(this.manual.value) > 0 && this.place(Number(this.manual.value)));
    this.choose();
  }

  choose(name) {
    const radios = this.form.elements.method;
    if (name) radios.value = name;
    for (const [method] of METHODS) {
      const body = this.form.querySelector(`#method-${method}`);
      body.hidden = method !== radios.value;
      for (const input of body.querySelectorAll("input")) input.disabled = body.hidden;
    }
  }

  async enter() {
    this.asset = this.app.asset;
    const { asset } = this;
    this.body.hidden = true;
    show(this.applied);
    show(document.querySelector("#recalibrate-message"));
    show(this.message, loading());
    await guarded(this.message, async () => {
      const data = await api(`${modelPath(asset)}/threshold`);
      if (asset !== this.asset) return;
      show(this.message);
      this.fill(data);
    });
  }

  fill(data) {
    this.data = data;
    this.body.hidden = false;
    this.now();
    this.chart.draw({ ...data.histogram, threshold: data.threshold, logarithmic: this.log.checked });
    this.manual.value = String(Number(data.threshold.toPrecision(5)));
    this.showEffect(data.threshold);
    const points = [...data.curve].sort((a, b) => a.threshold - b.threshold).map((point) => ({
      x: point.threshold, y: point.false_alarm_rate > 0 ? point.false_alarm_rate : null, text: `Threshold ${formatNumber(point.threshold)}: nominal false-alarm rate ${formatPercent(point.false_alarm_rate)}`,
    }));
    this.curve.draw(points, { logarithmic: true });
  }

  now() {
    const { threshold, method, parameters, nominal_false_alarm_rate: rate, rows, notes, model_version: version } = this.data;
    const detail = Object.entries(parameters ?? {}).filter(([, value]) => typeof value !== "object").map(([name, value]) => `${name.replaceAll("_", " ")} ${name === "rate" ? formatPercent(value) : typeof value === "number" ? formatNumber(value) : value}`);
    show(document.querySelector("#threshold-now"), h("header", null, h("h2", null, "In force")),
      facts([["Threshold", h("strong", null, formatNumber(threshold))], ["Method", [methodTitle(method), detail.length ? h("span", { class: "hint" }, ` ${detail.join(", ")}`) : null]],
        ["Nominal false-alarm rate", rate === null ? "not known" : `${formatPercent(rate)}${often(rate)}`], ["Held-back rows", rows?.toLocaleString("en") ?? "–"], ["Model version", String(version)]]),
      notes?.length ? h("div", { class: "note spaced" }, h("ul", { class: "notes" }, notes.map((note) => h("li", null, note)))) : null);
  }

  place(threshold) {
    this.chart.draw({ threshold });
    this.showEffect(threshold);
  }

  moved(threshold) {
    this.choose("manual");
    this.manual.value = String(threshold);
    this.showEffect(threshold);
  }

  effect(threshold) {
    const found = rateAt(this.data?.curve, threshold);
    return found ? `nominal false-alarm rate ${found.bound ? `${found.bound} ` : ""}${formatPercent(found.rate)}${often(found.rate)}` : "false-alarm rate not known";
  }

  showEffect(threshold) {
    const { edges, counts } = this.data.histogram;
    const above = counts.reduce((sum, count, index) => sum + (edges[index] >= threshold ? count : 0), 0);
    const changed = Math.abs(threshold - this.data.threshold) > 1e-4 * this.data.threshold;
    show(document.querySelector("#threshold-effect"), `At ${formatNumber(threshold)}${changed ? "" : " (in force)"}: ${this.effect(threshold)}; about ${plural(above, "held-back row")} above.`);
  }

  async apply(event) {
    event.preventDefault();
    const method = this.form.elements.method.value;
    const values = Object.fromEntries([...this.form.querySelectorAll(`#method-${method} input`)].map((input) => [input.name, input.dataset.percent === undefined ? Number(input.value) : Number(input.value) / 100]));
    const body = method === "manual" ? values : { method, ...values };
    await busy(this.form.querySelector("[type=submit]"), async () => {
      try {
        const data = await api(`${modelPath(this.asset)}/threshold`, { method: "PUT", json: body });
        this.fill(data);
        show(this.applied, h("p", { class: "done" }, `Applied: threshold ${formatNumber(data.threshold)} in version ${data.model_version}, active now.`));
        this.app.refreshAssets();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        show(this.applied, problemBox(error));
      }
    });
  }

  async recalibrate(event) {
    event.preventDefault();
    const place = document.querySelector("#recalibrate-message");
    const activate = document.querySelector("#recalibrate-activate").checked;
    await busy(event.target.querySelector("[type=submit]"), async () => {
      try {
        const version = await api(`${modelPath(this.asset)}/recalibrate?activate=${activate}`, { method: "POST", json: { rows: Number(document.querySelector("#recalibrate-rows").value), method: "automatic" } });
        if (activate) this.fill(await api(`${modelPath(this.asset)}/threshold`));
        show(place, h("p", { class: "done" }, `Version ${version.version} has the threshold ${formatNumber(version.threshold)}${activate ? " and is active now" : "; activate it under Models"}.`));
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        show(place, problemBox(error));
      }
    });
  }
}

function field(method, [name, label, value, attributes]) {
  const id = `${method}-${name}`;
  return h("div", { class: "field" }, h("label", { for: id }, label), h("input", { type: "number", id, name, value, required: true, ...attributes }));
}

const methodTitle = (method) => METHODS.find(([name]) => name === method)?.[1] ?? String(method).replaceAll("_", " ");

const often = (rate) => (rate > 0 ? ` (1 row in ${Math.round(1 / rate).toLocaleString("en")})` : "");

export const mountThreshold = (app) => new Threshold(app);
