/** Jobs: long documents in the background, which go on without this page and are here again after a reload. */

import {
  ProblemError,
  announce,
  api,
  busy,
  button,
  confirm,
  empty,
  guarded,
  h,
  loading,
  mark,
  poll,
  problemBox,
  readLines,
  show,
  table,
  time,
} from "../ui/script.js";
import { pagesOf } from "./answers.js";
import { saveJson, saveOutput } from "./outputs.js";
import { Pace } from "./pace.js";
import { PICTURE_DPI, formOf } from "./reading.js";
import { Viewer } from "./viewer.js";

const SHOWN = 50;
const TICK_MS = 500;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** The result of a job as a Viewer's source. */
class Result {
  constructor(job, answer) {
    this.job = job;
    this.name = nameOf(job);
    this.state = job.status;
    this.answer = answer;
    this.pages = pagesOf(answer);
    this.total = this.pages.length;
    this.error = null;
    this.seconds =
      job.finished_at && job.started_at ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000 : null;
  }

  /** None: the file is with the service. */
  ownPicture() {
    return null;
  }

  /** Has the service draw a page. */
  draw(number, signal) {
    const query = this.job.kind === "pdf" ? `?dpi=${PICTURE_DPI}` : "";
    const path = `${pathOf(this.job)}/pages/${number}/image${query}`;
    return api(path, { headers: { Accept: "image/jpeg" }, cache: "default", signal, raw: true });
  }

  async save(format) {
    if (format.name === "json") saveJson(format, this.name, this.answer);
    else await saveOutput(format, this.name, `${pathOf(this.job)}/result?format=${format.name}`);
  }
}

class Jobs {
  constructor(app) {
    this.app = app;
    this.items = null;
    this.opened = this.viewer = null;
    this.pace = new Pace();
    this.list = find("list");
  }

  enter(id) {
    this.leave();
    if (!this.list.firstChild) show(this.list, loading());
    this.pace.hurry();
    this.stop = poll(() => this.pace.isDue() && this.refresh(), TICK_MS);
    if (id) this.open(id);
    else this.close();
  }

  leave() {
    this.stop?.();
  }

  /** Sends a file as a job and shows it among the others; throws ProblemError where it is refused. */
  async add(file, fields, said) {
    const job = await api("jobs", { method: "POST", body: formOf(file, fields) });
    this.app.tabs.open("jobs");
    show(find("message"), h("p", { class: "note plain", role: "status" }, said));
    this.pace.hurry();
    return job;
  }

  /** Asks how the jobs are; a problem is shown here and thrown, so that the next attempt waits. */
  async refresh() {
    let items;
    try {
      ({ items } = await api(`jobs?limit=${SHOWN}`));
    } catch (error) {
      if (error instanceof ProblemError) show(this.list, problemBox(error));
      throw error;
    }
    this.tellEnds(items);
    const hasChanged = JSON.stringify(items) !== JSON.stringify(this.items);
    const isMoving = items.some(({ status }) => !ENDED.has(status));
    this.pace.saw(hasChanged, isMoving);
    if (hasChanged || !this.list.querySelector("table, .empty")) this.draw(items);
    await this.follow(items);
  }

  /** Shows the whole result of a job whose first pages are open, once it has ended. */
  async follow(items) {
    const job = items.find(({ id }) => id === this.opened);
    if (!job || !this.viewer || !ENDED.has(job.status) || this.viewer.source.state === job.status) return;
    const { index } = this.viewer.pager;
    this.opened = null;
    await this.open(job.id);
    this.viewer?.pager.go(index);
  }

  tellEnds(items) {
    const before = new Map((this.items ?? []).map((job) => [job.id, job.status]));
    for (const job of items) {
      if (ENDED.has(job.status) && before.has(job.id) && !ENDED.has(before.get(job.id)))
        announce(`${nameOf(job)}: ${job.status}`);
    }
  }

  draw(items) {
    this.items = items;
    const focused = document.activeElement?.dataset?.act;
    const columns = [
      ["File", (job) => h("span", null, nameOf(job)), "name"],
      ["Status", statusView],
      ["Progress", progressView],
      ["Begun", (job) => time(job.created_at)],
      ["Kept until", (job) => time(job.expires_at)],
      ["", (job) => this.actions(job), "act"],
    ];
    const none = empty("No jobs. Drop a PDF of more than 50 pages, or choose “Read as a job” among the options.");
    const chosen = (job) => ({ class: job.id === this.opened ? "chosen" : null, "data-job": job.id });
    show(this.list, items.length ? table("Jobs", columns, items, chosen) : none);
    if (focused) this.list.querySelector(`[data-act="${focused}"]`)?.focus();
  }

  actions(job) {
    const name = nameOf(job);
    const act = (text, action, kind) => {
      const pressed = button(text, () => busy(pressed, action), kind, `${text} ${name}`);
      pressed.dataset.act = `${text} ${job.id}`;
      return pressed;
    };
    return h(
      "div",
      { class: "actions" },
      (job.status === "succeeded" || job.pages_done > 0) &&
        act("Open", async () => this.app.tabs.open("jobs", job.id), "small"),
      ENDED.has(job.status)
        ? act("Delete", () => this.remove(job), "quiet danger small")
        : act("Cancel", () => this.end(job), "small"),
    );
  }

  async remove(job) {
    if (!(await confirm(`Delete the job of ${nameOf(job)}?`, "Its file and its result are deleted.", "Delete"))) return;
    await this.end(job);
    if (this.opened === job.id) this.app.tabs.open("jobs");
  }

  /** DELETE cancels what runs and deletes what has ended. */
  async end(job) {
    show(find("message"));
    try {
      await api(pathOf(job), { method: "DELETE" });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(find("message"), problemBox(error));
    }
    this.pace.hurry();
  }

  /** Shows the result of a job below the list. */
  async open(id) {
    if (this.opened === id) return;
    this.closeViewer();
    this.opened = id;
    const place = find("result");
    show(place, loading());
    await guarded(place, async () => {
      const job = await api(pathOf({ id }));
      const answer = await answerOf(job);
      if (this.opened !== id) return;
      this.viewer = new Viewer(place, new Result(job, answer), [
        button("Close", () => this.app.tabs.open("jobs"), "small"),
      ]);
      place.scrollIntoView({ block: "nearest" });
    });
    if (this.items) this.draw(this.items);
  }

  closeViewer() {
    this.viewer?.close();
    this.viewer = null;
  }

  close() {
    this.closeViewer();
    this.opened = null;
    show(find("result"));
    if (this.items) this.draw(this.items);
  }
}

const find = (name) => document.querySelector(`#jobs-${name}`);
const pathOf = ({ id }) => `jobs/${encodeURIComponent(id)}`;
const nameOf = (job) => job.filename ?? `Job ${job.id}`;

/** The result; of a job that has not come to its end the pages that are done. */
async function answerOf(job) {
  if (job.status === "succeeded") return api(`${pathOf(job)}/result?format=json`);
  const response = await api(`${pathOf(job)}/result?format=ndjson`, { headers: { Accept: "*/*" }, raw: true });
  const results = [];
  for await (const page of readLines(response.body)) if (page.success !== false) results.push(page);
  return { success: false, results };
}

/** The state; of a failure also its reason. */
function statusView(job) {
  const reason = job.status === "failed" && (job.error?.detail ?? job.error?.title);
  return h("div", { class: "job-status" }, mark(job.status), reason && h("span", { class: "reason" }, reason));
}

function progressView(job) {
  const { status, progress, pages_done: done, pages_total: total } = job;
  const said = total ? `${done} of ${total} pages` : `${Math.round(progress * 100)} %`;
  if (ENDED.has(status)) return total ? said : "–";
  const bar = h("progress", { max: 1, "aria-label": `Progress of ${nameOf(job)}` });
  if (status === "running") bar.value = progress;
  return h("div", { class: "job-progress" }, h("span", null, status === "queued" ? "waiting" : said), bar);
}

export const mountJobs = (app) => new Jobs(app);
