/** One training job: its progress while it runs, and what came of it. */

import {
  ProblemError,
  announce,
  api,
  busy,
  button,
  empty,
  facts,
  formatDuration,
  guarded,
  h,
  mark,
  poll,
  problemBox,
  show,
} from "../ui/script.js";
import { reportView } from "./report.js";
import { modelPath } from "./versions.js";

const EVERY_MS = 700;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Shows a job in `place`; `onEnd` is called when a watched one has ended or its version was activated. */
export class JobCard {
  constructor(place, onEnd) {
    this.place = place;
    this.onEnd = onEnd;
    this.job = null;
    const text = "The progress of a training and its report appear here.";
    show(place, h("header", null, h("h2", null, "Progress and report")), empty(text));
  }

  leave() {
    this.stop?.();
  }

  /** Follows a job to its end. */
  watch(job) {
    this.leave();
    this.job = job;
    if (ENDED.has(job.status)) {
      this.drawResult();
      return;
    }
    this.drawRunning();
    this.stop = poll(() => this.refresh(job.id), EVERY_MS);
  }

  async refresh(id) {
    const job = await api(`jobs/${encodeURIComponent(id)}`);
    if (this.job.id !== id) return;
    this.job = job;
    if (!ENDED.has(job.status)) {
      this.drawProgress();
      return;
    }
    this.leave();
    this.drawResult();
    announce(`Training for ${job.asset}: ${job.status}`);
    this.onEnd();
  }

  header(status) {
    return h("header", null, h("h2", null, `Training for ${this.job.asset}`), status);
  }

  drawRunning() {
    this.progress = h("progress", { max: 1, "aria-label": "Progress of the training" });
    this.said = h("p");
    this.status = h("span");
    const cancel = button("Cancel", () => this.cancel(cancel));
    show(this.place, this.header(this.status), h("div", { class: "tight" }, this.progress, this.said, cancel));
    this.drawProgress();
  }

  drawProgress() {
    const { status, progress, message } = this.job;
    show(this.status, mark(status));
    if (status === "queued") this.progress.removeAttribute("value");
    else this.progress.value = progress;
    show(this.said, `${Math.round(progress * 100)} %`, message && ` · ${message}`);
  }

  async cancel(pressed) {
    const { id } = this.job;
    await busy(pressed, () =>
      guarded(this.said, async () => {
        await api(`jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
        await this.refresh(id);
      }),
    );
  }

  drawResult() {
    const { status, error } = this.job;
    const outcome = {
      cancelled: () => h("p", null, "Cancelled; nothing was changed."),
      failed: () => problemBox(new ProblemError(error?.status ?? 0, error ?? { title: "The training failed" })),
      succeeded: () => this.success(),
    }[status];
    show(this.place, this.header(mark(status)), outcome());
  }

  success() {
    const { asset, result, started_at: started, finished_at: finished } = this.job;
    const linkTo = (tab, text) => h("a", { class: "button", href: `#${tab}/${encodeURIComponent(asset)}` }, text);
    const said = h("div", { role: "status" });
    const activate = button(`Activate version ${result.version}`, () => this.activate(activate, said), "primary");
    const length = formatDuration((Date.parse(finished) - Date.parse(started)) / 1000);
    return h(
      "div",
      { class: "stack" },
      facts([
        ["New version", result.version],
        ["Took", length],
        ["Active", result.activated ? "yes" : null],
      ]),
      h(
        "div",
        { class: "actions" },
        !result.activated && activate,
        linkTo("threshold", "Threshold in force"),
        linkTo("live", "Watch it live"),
      ),
      said,
      reportView(result.report),
    );
  }

  async activate(pressed, said) {
    const { asset, result } = this.job;
    await busy(pressed, () =>
      guarded(said, async () => {
        await api(`${modelPath(asset)}/versions/${result.version}/activate`, { method: "POST" });
        pressed.hidden = true;
        show(said, h("p", { class: "done" }, `Version ${result.version} of ${asset} is active now.`));
        this.onEnd();
      }),
    );
  }
}
