/** Train: a CSV of normal rows becomes a new version by way of a job. */

import { ProblemError, announce, api, busy, dropZone, empty, facts, formatBytes, formatDuration, formatNumber, guarded, h, mark, plural, poll, problemBox, show, table, time } from "../ui/script.js";
import { reportView } from "./report.js";
import { readTable } from "./table.js";
import { ensureAsset, modelPath } from "./versions.js";

const JOB_EVERY_MS = 700;
const JOBS_EVERY_MS = 5000;
const PREVIEW_BYTES = 262144; // enough for the first rows of any file
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Options of `POST train`: [name, label, hint, attributes]; an empty one is left to the service. */
const OPTIONS = [
  ["window", "Window", "Rows that are judged together, 1 to 64", { type: "number", min: 1, max: 64, step: 1 }],
  ["epochs", "Epochs", "At most; training stops early", { type: "number", min: 1, max: 10000, step: 1 }],
  ["seed", "Seed", "The same seed and rows give the same model", { type: "number", min: 0, step: 1 }],
];
const KINDS = [["auto", "The better of both"], ["autoencoder", "Autoencoder"], ["pca", "PCA"]];
const METHODS = [["automatic", "Automatic"], ["percentile", "Percentile"], ["false_alarm_rate", "False-alarm rate"], ["extreme_value", "Extreme value"]];

class Training {
  constructor(app) {
    this.app = app;
    this.file = null;
    this.form = document.querySelector("#training-form");
    this.message = document.querySelector("#training-message");
    this.job = document.querySelector("#training-job");
    this.buildOptions();
    dropZone(document.querySelector("#training-drop"), (file) => this.take(file));
    this.form.addEventListener("submit", (event) => this.submit(event));
    show(this.job, h("h2", null, "Progress and report"), empty("The progress of a training and its report appear here."));
  }

  buildOptions() {
    const method = choice("method", "Threshold", METHODS);
    const level = h("div");
    const fillLevel = () => show(level, LEVELS[method.querySelector("select").value]());
    method.addEventListener("change", fillLevel);
    fillLevel();
    show(document.querySelector("#training-options"), choice("kind", "Kind of model", KINDS), OPTIONS.map((option) => field(...option)), method, level,
      h("label", { class: "check" }, h("input", { type: "checkbox", id: "training-trim", checked: true }), "Leave out rows that are clearly not normal"));
  }

  async take(file) {
    this.file = file;
    document.querySelector("#training-file").required = false;
    const cut = file.size > PREVIEW_BYTES;
    const { header, rows } = readTable(await file.slice(0, PREVIEW_BYTES).text());
    const columns = Math.max(0, ...rows.slice(0, 5).map((row) => row.cells.length));
    const name = (index) => header?.[index] ?? `column ${index + 1}`;
    show(document.querySelector("#training-preview"), h("p", null, h("strong", null, file.name), `, ${formatBytes(file.size)}, ${cut ? "more than " : ""}${plural(rows.length, "row")}, ${plural(columns, "column")}`),
      table("First rows", Array.from({ length: Math.min(columns, 8) }, (_, index) => [name(index), (row) => row.cells[index] ?? "", "num"]), rows.slice(0, 3)));
  }

  enter() {
    document.querySelector("#training-asset").value = this.app.asset;
    this.stopJobs?.();
    this.stopJobs = poll(() => this.refreshJobs(), JOBS_EVERY_MS);
    if (this.watched) this.watch(this.watched);
  }

  leave() {
    this.stopJobs?.();
    this.stopJob?.();
  }

  async submit(event) {
    event.preventDefault();
    const asset = document.querySelector("#training-asset").value.trim();
    const query = new URLSearchParams({ activate: document.querySelector("#training-activate").checked });
    if (!document.querySelector("#training-trim").checked) query.set("trim", "false");
    for (const control of document.querySelectorAll("#training-options [name]")) {
      if (control.value !== "") query.set(control.name, control.name === "rate" ? Number(control.value) / 100 : control.value);
    }
    show(this.message);
    await busy(this.form.querySelector("[type=submit]"), async () => {
      try {
        if (!this.app.assets.some((item) => item.asset === asset)) await ensureAsset(asset);
        const job = await api(`${modelPath(asset)}/train?${query}`, { method: "POST", body: this.file, headers: { "Content-Type": "text/csv" } });
        this.app.refreshAssets();
        this.watch(job);
        this.refreshJobs();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        show(this.message, problemBox(error));
      }
    });
  }

  /** Follows a job to its end. */
  watch(job) {
    this.watched = job;
    this.stopJob?.();
    this.progress = null;
    this.drawJob(job);
    if (ENDED.has(job.status)) return;
    this.stopJob = poll(async () => {
      const next = await api(`jobs/${encodeURIComponent(job.id)}`);
      if (this.watched?.id !== job.id) return;
      this.watched = next;
      this.drawJob(next);
      if (!ENDED.has(next.status)) return;
      this.stopJob();
      announce(`Training for ${next.asset}: ${next.status}`);
      this.refreshJobs();
      this.app.refreshAssets();
    }, JOB_EVERY_MS);
  }

  drawJob(job) {
    if (ENDED.has(job.status)) return this.drawResult(job);
    if (!this.progress) {
      this.progress = h("progress", { max: 1, "aria-label": "Progress of the training" });
      this.said = h("p", null);
      this.status = h("span");
      const cancel = h("button", { type: "button", onclick: () => this.cancel(cancel, job) }, "Cancel");
      show(this.job, h("header", null, h("h2", null, `Training for ${job.asset}`), this.status), h("div", { class: "tight" }, this.progress, this.said, cancel));
    }
    show(this.status, mark(job.status));
    if (job.status === "queued") this.progress.removeAttribute("value");
    else this.progress.value = job.progress;
    return show(this.said, `${Math.round(job.progress * 100)} %${job.message ? ` · ${job.message}` : ""}`);
  }

  async cancel(button, job) {
    await busy(button, () => guarded(this.said, async () => this.watch((await api(`jobs/${encodeURIComponent(job.id)}`, { method: "DELETE" })) ?? { ...job, status: "cancelled" })));
  }

  drawResult(job) {
    const head = h("header", null, h("h2", null, `Training for ${job.asset}`), mark(job.status));
    if (job.status === "failed") return show(this.job, head, problemBox(new ProblemError(job.error?.status ?? 0, job.error ?? { detail: job.message ?? "The training failed." })));
    if (job.status === "cancelled") return show(this.job, head, h("p", null, "Cancelled; nothing was changed."));
    const { version, report } = job.result ?? {};
    const place = h("div", { role: "status" });
    const activate = h("button", { type: "button", class: "primary", onclick: () => this.activate(activate, place, job.asset, version) }, `Activate version ${version}`);
    return show(this.job, head, h("div", { class: "stack" }, facts([["New version", String(version)], ["Took", formatDuration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)], ["Threshold", Number.isFinite(job.result?.threshold) ? formatNumber(job.result.threshold) : null]]),
      h("div", { class: "actions" }, job.result?.activated ? null : activate, h("a", { class: "button", href: `#threshold/${encodeURIComponent(job.asset)}` }, "See its threshold"), h("a", { class: "button", href: `#live/${encodeURIComponent(job.asset)}` }, "Watch it live")),
      place, reportView(report)));
  }

  async activate(button, place, asset, version) {
    await busy(button, () => guarded(place, async () => {
      await api(`${modelPath(asset)}/versions/${version}/activate`, { method: "POST" });
      button.hidden = true;
      show(place, h("p", { class: "done" }, `Version ${version} of ${asset} is active now.`));
      this.app.refreshAssets();
    }));
  }

  async refreshJobs() {
    const place = document.querySelector("#training-jobs");
    await guarded(place, async () => {
      const { items } = await api("jobs?limit=10");
      const now = JSON.stringify(items);
      if (now === this.jobs && place.querySelector("table, .empty")) return place;
      this.jobs = now;
      if (!items.length) return show(place, empty("No trainings yet."));
      return show(place, table("Recent jobs", [
        ["Asset", (job) => job.asset], ["Status", (job) => mark(job.status)], ["Progress", (job) => `${Math.round(job.progress * 100)} %`, "num"], ["Message", (job) => h("span", { class: "clip", title: job.message ?? "" }, job.message ?? ""), "wrap"],
        ["Started", (job) => time(job.started_at ?? job.created_at)], ["", (job) => h("button", { type: "button", class: "small", "aria-label": `Show the job of ${job.asset}`, onclick: () => this.watch(job) }, "Show"), "act"],
      ], items));
    });
  }
}

function field(name, label, hint, attributes) {
  const id = `option-${name}`;
  return h("div", { class: "field" }, h("label", { for: id }, label), h("input", { id, name, "aria-describedby": `${id}-hint`, ...attributes }), h("p", { class: "hint", id: `${id}-hint` }, hint));
}

function choice(name, label, options) {
  const id = `option-${name}`;
  return h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id, name }, options.map(([value, text]) => h("option", { value }, text))));
}

const rate = () => field("rate", "False-alarm rate in percent", "Of normal rows", { type: "number", min: 0.0001, max: 20, step: "any", value: 1, required: true });

/** What a method of the threshold is told. */
const LEVELS = {
  automatic: () => null,
  percentile: () => field("percentile", "Percentile", "95 to 99.9", { type: "number", min: 95, max: 99.9, step: "any", value: 99, required: true }),
  false_alarm_rate: rate,
  extreme_value: rate,
};

export const mountTraining = (app) => new Training(app);
