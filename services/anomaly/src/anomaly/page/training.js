/** Train: a CSV of normal rows becomes a new version by way of a job. */

import {
  ProblemError,
  api,
  busy,
  button,
  dropZone,
  empty,
  formatBytes,
  guarded,
  h,
  mark,
  plural,
  poll,
  problemBox,
  show,
  table,
  time,
} from "../ui/script.js";
import { JobCard } from "./job.js";
import { Options } from "./options.js";
import { readTable } from "./table.js";
import { ensureAsset, modelPath } from "./versions.js";

const JOBS_EVERY_MS = 5000;
const JOBS = 10;
const PREVIEW_BYTES = 262144; // enough for the first rows of any file
const PREVIEW_ROWS = 3;
const PREVIEW_COLUMNS = 8;

class Training {
  constructor(app) {
    this.app = app;
    this.file = null;
    this.form = document.querySelector("#training-form");
    this.asset = document.querySelector("#training-asset");
    this.message = document.querySelector("#training-message");
    this.jobs = document.querySelector("#training-jobs");
    this.options = new Options(document.querySelector("#training-options"));
    this.card = new JobCard(document.querySelector("#training-job"), () => this.refresh());
    dropZone(document.querySelector("#training-drop"), (file) => this.take(file));
    this.form.addEventListener("submit", (event) => this.submit(event));
  }

  enter() {
    this.asset.value = this.app.asset;
    this.leave();
    this.stop = poll(() => this.refreshJobs(), JOBS_EVERY_MS);
    if (this.card.job) this.card.watch(this.card.job);
  }

  leave() {
    this.stop?.();
    this.card.leave();
  }

  async take(file) {
    this.file = file;
    document.querySelector("#training-file").required = false; // a dropped file is not in the field
    const text = await file.slice(0, PREVIEW_BYTES).text();
    show(document.querySelector("#training-preview"), preview(file, readTable(text)));
  }

  async submit(event) {
    event.preventDefault();
    show(this.message);
    await busy(this.form.querySelector("[type=submit]"), async () => {
      try {
        this.card.watch(await this.train(this.asset.value.trim()));
        await this.refresh();
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        show(this.message, problemBox(error));
      }
    });
  }

  async train(asset) {
    const query = this.options.query();
    query.set("activate", document.querySelector("#training-activate").checked);
    if (!this.app.assets.some((item) => item.asset === asset)) await ensureAsset(asset);
    const headers = { "Content-Type": "text/csv" };
    return api(`${modelPath(asset)}/train?${query}`, { method: "POST", body: this.file, headers });
  }

  async refresh() {
    await Promise.all([this.refreshJobs(), this.app.refreshAssets()]);
  }

  async refreshJobs() {
    await guarded(this.jobs, async () => {
      const { items } = await api(`jobs?limit=${JOBS}`);
      const now = JSON.stringify(items);
      if (now === this.shown && this.jobs.querySelector("table, .empty")) return;
      this.shown = now;
      show(this.jobs, items.length ? this.table(items) : empty("No trainings yet."));
    });
  }

  table(items) {
    const clipped = (text) => h("span", { class: "clip", title: text }, text);
    const label = (job) => `Show the job of ${job.asset} of ${job.created_at}`;
    const columns = [
      ["Asset", (job) => job.asset],
      ["Status", (job) => mark(job.status)],
      ["Progress", (job) => `${Math.round(job.progress * 100)} %`, "num"],
      ["Message", (job) => clipped(job.message ?? ""), "wrap"],
      ["Started", (job) => time(job.started_at ?? job.created_at)],
      ["", (job) => button("Show", () => this.card.watch(job), "small", label(job)), "act"],
    ];
    return table("Recent jobs", columns, items);
  }
}

/** What is in a file, as far as its first rows tell. */
function preview(file, { header, rows }) {
  const width = Math.max(0, ...rows.slice(0, PREVIEW_ROWS).map((row) => row.cells.length));
  const count = `${file.size > PREVIEW_BYTES ? "more than " : ""}${plural(rows.length, "row")}`;
  const summary = `, ${formatBytes(file.size)}, ${count}, ${plural(width, "column")}`;
  const columns = Array.from({ length: Math.min(width, PREVIEW_COLUMNS) }, (_, index) => [
    header?.[index] ?? `column ${index + 1}`,
    (row) => row.cells[index] ?? "",
    "num",
  ]);
  return [
    h("p", null, h("strong", null, file.name), summary),
    table("First rows", columns, rows.slice(0, PREVIEW_ROWS)),
  ];
}

export const mountTraining = (app) => new Training(app);
