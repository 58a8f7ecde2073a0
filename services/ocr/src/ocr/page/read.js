/** Read: files go in one after the other; what was read of each is shown with its boxes. */

import {
  ProblemError,
  announce,
  ask,
  button,
  formatBytes,
  h,
  listenForFiles,
  mark,
  plural,
  problemBox,
  show,
  table,
} from "../ui/script.js";
import { Options } from "./options.js";
import { LONG_PAGES, LongDocument, Reading, isDocument } from "./reading.js";
import { Viewer } from "./viewer.js";

class Read {
  constructor(app) {
    this.app = app;
    this.readings = [];
    this.shown = null;
    this.viewer = null;
    this.isPumping = false;
    this.options = new Options(document.querySelector("#options"), () => {});
    const [zone, input, chooser] = ["drop", "input", "choose"].map(find);
    listenForFiles({ zone, dialogs: [[chooser, input]], taken: (found) => this.take(found.map(({ file }) => file)) });
    find("clear").addEventListener("click", () => this.clear());
  }

  enter() {
    this.app.loadHealth().then((health) => this.showLimits(health));
  }

  showLimits(health) {
    if (!health) return;
    const { max_file_size: bytes, max_image_width: width, max_image_height: height } = health.limits ?? {};
    if (bytes)
      show(find("limits"), ` At most ${formatBytes(bytes)}${width ? ` and ${width} × ${height} pixels` : ""}.`);
    if (health.defaults) this.options.setDefaults(health.defaults);
  }

  /** Takes files in, shows the first of them, and reads one after the other. */
  async take(files) {
    this.app.tabs.open("read");
    show(find("message"));
    if (!this.options.isValid) {
      find("options").open = true;
      this.options.reportValidity();
      return;
    }
    const added = [];
    for (const file of files) added.push(new Reading(file, await isDocument(file), () => this.changed()));
    this.readings.push(...added);
    find("drop").classList.add("compact");
    this.open(added[0]);
    await this.pump();
  }

  async pump() {
    if (this.isPumping) return;
    this.isPumping = true;
    try {
      for (let next = this.waiting(); next; next = this.waiting()) await this.read(next);
    } finally {
      this.isPumping = false;
    }
  }

  waiting() {
    return this.readings.find(({ state }) => state === "queued");
  }

  async read(reading) {
    const { options } = this;
    const fields = options.fields(reading.isDocument);
    const limit = this.app.health?.limits?.max_file_size ?? Infinity;
    if (options.asJob) {
      await this.makeJob(reading, fields, `${reading.name} is read as a job.`);
    } else if (reading.file.size > limit) {
      const size = formatBytes(reading.file.size);
      await this.makeJob(
        reading,
        fields,
        `${reading.name} has ${size}, more than the ${formatBytes(limit)} of one call: it is read as a job.`,
      );
    } else {
      await this.readHere(reading, fields);
    }
  }

  async readHere(reading, fields) {
    try {
      await reading.read(fields);
      announce(`${reading.name}: ${reading.error?.message ?? plural(reading.pages.length, "page") + " read"}`);
    } catch (error) {
      if (!(error instanceof LongDocument)) throw error;
      await this.makeJob(
        reading,
        fields,
        `${reading.name} has ${error.pages} pages. Beyond ${LONG_PAGES} a document is read as a job.`,
      );
    }
  }

  /** Hands a file to the background and takes it off this list; what the service refuses stays with its reason. */
  async makeJob(reading, fields, said) {
    try {
      await this.app.sections.jobs.add(reading.file, fields, said);
      this.remove(reading);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      reading.error = error;
      reading.become("failed");
    }
  }

  async again(reading) {
    if (!this.options.isValid) {
      find("options").open = true;
      this.options.reportValidity();
      return;
    }
    reading.reset();
    this.open(reading);
    await this.pump();
  }

  /** Asks for the password of a document that wants one, and reads it again. */
  async unlock(reading) {
    const field = { name: "password", label: "Password", type: "password", required: true };
    const answer = await ask({ title: `${reading.name} is encrypted`, fields: [field], action: "Read it" });
    if (!answer) return;
    this.options.password = answer.password;
    this.options.say();
    await this.again(reading);
  }

  open(reading) {
    this.viewer?.close();
    this.shown = reading;
    const again = button("Read again", () => this.again(reading), "small");
    const remove = button("Remove", () => this.remove(reading), "small quiet", `Remove ${reading.name}`);
    this.viewer = new Viewer(find("result"), reading, [again, remove]);
    this.showProgress();
    this.showList();
  }

  changed() {
    this.viewer?.refresh();
    this.showProgress();
    this.showList();
  }

  showProgress() {
    const { shown: reading, viewer } = this;
    if (!viewer) return;
    const { state, pages, total } = reading;
    const isUnderWay = state === "running" || state === "queued";
    viewer.progress.hidden = !isUnderWay;
    if (isUnderWay) this.drawProgress(viewer.progress, reading);
    const problem = state === "failed" && this.problem(reading);
    const cancelled = `Cancelled${pages.length ? ` after ${pages.length} of ${total ?? "its"} pages` : ""}.`;
    show(viewer.message, problem, state === "cancelled" && h("p", { class: "note" }, cancelled));
  }

  drawProgress(place, reading) {
    const { pages, total, state, isDocument: isPaged } = reading;
    const said =
      state === "queued"
        ? "Waiting for the files before it"
        : isPaged
          ? `${pages.length} of ${total ?? "…"} pages read`
          : "Reading…";
    if (!place.firstChild) {
      const bar = h("progress", { id: "read-bar" });
      const line = h(
        "div",
        { class: "progress-line" },
        h("label", { for: "read-bar" }),
        button("Cancel", () => reading.cancel(), "small"),
      );
      show(place, line, bar);
    }
    place.querySelector("label").textContent = said;
    const bar = place.querySelector("progress");
    if (total && isPaged) {
      bar.max = total;
      bar.value = pages.length;
    } else bar.removeAttribute("value");
  }

  problem(reading) {
    const { error } = reading;
    const box = problemBox(error, () => this.again(reading));
    box.prepend(h("p", { class: "problem-file" }, reading.name));
    if (/-encrypted$/.test(error.problem?.type ?? ""))
      box.append(button("Enter the password", () => this.unlock(reading), "small"));
    return box;
  }

  showList() {
    find("files").hidden = this.readings.length < 2;
    const columns = [
      ["File", (reading) => h("span", null, reading.name), "name"],
      ["Status", (reading) => mark(reading.state)],
      ["Pages", (reading) => (reading.pages.length ? String(reading.pages.length) : "–"), "num"],
      [
        "Lines",
        (reading) =>
          reading.pages.length ? String(reading.pages.reduce((sum, { lines }) => sum + lines.length, 0)) : "–",
        "num",
      ],
      ["", (reading) => this.rowActions(reading), "act"],
    ];
    const focused = document.activeElement?.dataset?.show;
    const chosen = (reading) => ({ class: reading === this.shown ? "chosen" : null });
    show(find("list"), table("Files", columns, this.readings, chosen));
    if (focused) find("list").querySelector(`[data-show="${focused}"]`)?.focus();
  }

  rowActions(reading) {
    const view = button("Show", () => this.open(reading), "small", `Show ${reading.name}`);
    view.dataset.show = this.readings.indexOf(reading) + 1;
    return h("div", { class: "actions" }, view);
  }

  remove(reading) {
    reading.cancel();
    this.readings = this.readings.filter((each) => each !== reading);
    if (this.shown === reading) {
      if (this.readings.length) this.open(this.readings.at(-1));
      else this.clear();
    } else this.showList();
  }

  clear() {
    for (const reading of this.readings) reading.cancel();
    this.viewer?.close();
    this.readings = [];
    this.shown = this.viewer = null;
    show(find("result"));
    find("files").hidden = true;
    find("drop").classList.remove("compact");
  }
}

const find = (name) => document.querySelector(`#read-${name}`);

export const mountRead = (app) => new Read(app);
