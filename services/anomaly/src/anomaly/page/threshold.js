/** Threshold: the errors of held-back normal rows, and where the line is drawn. */

import {
  ProblemError,
  api,
  busy,
  facts,
  formatNumber,
  formatPercent,
  guarded,
  h,
  histogram,
  loading,
  plural,
  problemBox,
  show,
  trendChart,
} from "../ui/script.js";
import { MethodForm, methodTitle } from "./methods.js";
import { countAbove, rateAt, rateText } from "./rates.js";
import { modelPath } from "./versions.js";

const SAME = 1e-4; // relative difference under which the handle stands where it stood

class Threshold {
  constructor(app) {
    this.app = app;
    this.message = document.querySelector("#threshold-message");
    this.body = document.querySelector("#threshold-body");
    this.log = document.querySelector("#threshold-log");
    this.chart = histogram(document.querySelector("#threshold-chart"), {
      label: "histogram of errors",
      height: 300,
      onChange: (threshold) => this.moved(threshold),
      describe: (threshold) => `${formatNumber(threshold)}, ${this.effect(threshold)}`,
    });
    this.curve = curveChart(document.querySelector("#threshold-curve"));
    this.log.addEventListener("change", () => this.chart.draw({ logarithmic: this.log.checked }));
    this.form = new MethodForm(document.querySelector("#threshold-form"), (threshold) => this.typed(threshold));
    this.form.form.addEventListener("submit", (event) => this.apply(event));
    document.querySelector("#recalibrate-form").addEventListener("submit", (event) => this.recalibrate(event));
  }

  async enter() {
    this.asset = this.app.asset;
    const { asset } = this;
    this.body.hidden = true;
    show(this.form.message);
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
    show(document.querySelector("#threshold-now"), inForce(data));
    this.chart.draw({ ...data.histogram, threshold: data.threshold, logarithmic: this.log.checked });
    this.form.setManual(data.threshold);
    this.showEffect(data.threshold);
    this.curve.draw(curvePoints(data.curve), { logarithmic: true });
  }

  typed(threshold) {
    this.chart.draw({ threshold });
    this.showEffect(threshold);
  }

  moved(threshold) {
    this.form.choose("manual");
    this.form.setManual(threshold);
    this.showEffect(threshold);
  }

  isInForce(threshold) {
    return Math.abs(threshold - this.data.threshold) <= SAME * this.data.threshold;
  }

  /** What a threshold means, in words; of the one in force the rate that the service names. */
  effect(threshold) {
    if (!this.data) return "";
    const { nominal_false_alarm_rate: nominal, curve } = this.data;
    const known = this.isInForce(threshold) && Number.isFinite(nominal);
    const { rate, bound } = (known ? { rate: nominal, bound: "" } : rateAt(curve, threshold)) ?? {};
    return `nominal false-alarm rate ${bound ?? ""}${rateText(rate)}`;
  }

  showEffect(threshold) {
    const above = plural(countAbove(this.data.histogram, threshold), "held-back row");
    const which = `At ${formatNumber(threshold)}${this.isInForce(threshold) ? " (in force)" : ""}`;
    show(document.querySelector("#threshold-effect"), `${which}: ${this.effect(threshold)}; about ${above} above.`);
  }

  async apply(event) {
    event.preventDefault();
    await this.act(this.form.submit, this.form.message, async () => {
      const data = await api(`${modelPath(this.asset)}/threshold`, { method: "PUT", json: this.form.body() });
      this.fill(data);
      return `Applied: threshold ${formatNumber(data.threshold)} in version ${data.model_version}, active now.`;
    });
  }

  async recalibrate(event) {
    event.preventDefault();
    const activate = document.querySelector("#recalibrate-activate").checked;
    const rows = Number(document.querySelector("#recalibrate-rows").value);
    const submit = event.target.querySelector("[type=submit]");
    await this.act(submit, document.querySelector("#recalibrate-message"), async () => {
      const path = `${modelPath(this.asset)}/recalibrate?activate=${activate}`;
      const { version, threshold } = await api(path, { method: "POST", json: { rows, method: "automatic" } });
      if (activate) this.fill(await api(`${modelPath(this.asset)}/threshold`));
      const then = activate ? " and is active now" : "; activate it under Models";
      return `Version ${version} has the threshold ${formatNumber(threshold)}${then}.`;
    });
  }

  /** Runs what a form asks for, and says beside it what came of it. */
  async act(submit, place, action) {
    await busy(submit, async () => {
      try {
        show(place, h("p", { class: "done" }, await action()));
        await this.app.refreshAssets();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        show(place, problemBox(error));
      }
    });
  }
}

function curveChart(place) {
  return trendChart(place, {
    label: "Nominal false-alarm rate by threshold",
    height: 150,
    xFormat: (threshold) => formatNumber(threshold, 3),
    yFormat: formatPercent,
    summary: () => "The arrow keys read out each point of the curve.",
  });
}

function curvePoints(curve) {
  const points = curve.map(({ threshold, false_alarm_rate: rate }) => ({
    x: threshold,
    y: rate > 0 ? rate : null,
    text: `Threshold ${formatNumber(threshold)}: nominal false-alarm rate ${rateText(rate)}`,
  }));
  return points.sort((a, b) => a.x - b.x);
}

/** The threshold in force, how it came about, and what the service says of it. */
function inForce({
  threshold,
  method,
  parameters,
  nominal_false_alarm_rate: rate,
  rows,
  notes,
  model_version: version,
}) {
  const told = parametersText(parameters);
  return [
    h("header", null, h("h2", null, "In force")),
    facts([
      ["Threshold", h("strong", null, formatNumber(threshold))],
      ["Method", [methodTitle(method), told && h("span", { class: "hint" }, ` ${told}`)]],
      ["Nominal false-alarm rate", rateText(rate)],
      ["Held-back rows", rows.toLocaleString("en")],
      ["Model version", version],
    ]),
    notes.length > 0 && h("div", { class: "note plain spaced" }, noteList(notes)),
  ];
}

const noteList = (notes) =>
  h(
    "ul",
    { class: "notes" },
    notes.map((note) => h("li", null, note)),
  );

/** "percentile 99, margin 1.2"; a margin of 1 changes nothing and is not told. */
function parametersText(parameters) {
  const told = Object.entries(parameters).filter(([name, value]) => name !== "margin" || value !== 1);
  return told
    .map(([name, value]) => `${name} ${name === "rate" ? formatPercent(value) : formatNumber(value)}`)
    .join(", ");
}

export const mountThreshold = (app) => new Threshold(app);
