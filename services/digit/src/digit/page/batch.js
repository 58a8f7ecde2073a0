/** Files on their way: sent call by call, answered line by line; it can be stopped, and goes on where it was. */

import { ProblemError, StreamBroken, api, readLines } from "../ui/script.js";
import { query } from "./reading.js";
import { makeRow } from "./rows.js";
import { callsOf, numbered } from "./sources.js";

const CUT_OFF = {
  title: "The answer broke off",
  detail: "The connection ended before all pictures were answered. What has come is kept.",
};

export class Batch {
  /** `modelOf()` gives the model as [what a call says, its name]; `changed()` is called whenever there is something new to show. */
  constructor(modelOf, changed) {
    this.modelOf = modelOf;
    this.changed = changed;
    this.empty();
  }

  /** Forgets everything. */
  empty() {
    this.stop();
    this.rows = [];
    this.picked = [];
    this.calls = [];
    this.total = 0;
    this.names = new Set();
    this.corrections = new Map();
    this.failure = null;
    this.run = null;
  }

  get isRunning() {
    return this.run !== null;
  }

  /** Takes files in and sends them after those that wait. */
  async add(picked) {
    this.picked.push(...picked);
    const calls = await callsOf(picked, this.names);
    this.calls.push(...calls);
    this.total += calls.reduce((sum, call) => sum + call.sources.length, 0);
    await this.goOn();
  }

  /** Sends everything once more, to another model say; corrections are kept by name. */
  async again() {
    const { picked } = this;
    const corrections = new Map(
      this.rows.filter((row) => row.correction !== null).map((row) => [row.name, row.correction]),
    );
    this.empty();
    this.corrections = corrections;
    await this.add(picked);
  }

  stop() {
    this.run?.abort();
  }

  /** Sends what waits, until nothing does, somebody stops it, or the service cannot be reached. */
  async goOn() {
    if (this.isRunning || !this.calls.length) return;
    const run = (this.run = new AbortController());
    this.failure = null;
    this.changed();
    try {
      while (this.calls.length && !run.signal.aborted) await this.send(this.calls[0], run.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.failure = failureOf(error);
    } finally {
      if (this.run === run) this.run = null;
      this.changed();
    }
  }

  async send(call, signal) {
    const [asked, model] = this.modelOf();
    try {
      const options = {
        method: "POST",
        body: formOf(call),
        headers: { Accept: "application/x-ndjson" },
        raw: true,
        signal,
      };
      const response = await api(`predict_batch?${query(asked)}on_error=skip`, options);
      await this.take(call, model, readLines(response.body), signal);
      this.total += call.answered - call.sources.length; // the service decides what in an archive is a picture
      this.calls.shift();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.calls.splice(0, 1, ...this.refused(call, model, error));
    }
  }

  /** Makes rows of the lines; an archive that is sent once more repeats those that were answered before. */
  async take(call, model, lines, signal) {
    let repeated = call.archive ? call.answered : 0;
    let isDone = false;
    for await (const line of lines) {
      signal.throwIfAborted();
      if (line.done === false) throw new ProblemError(422, { title: "The archive cannot be read", detail: line.error });
      if (line.done) isDone = true;
      else if (repeated) repeated -= 1;
      else this.answered(call, model, line);
    }
    if (!isDone) throw new ProblemError(0, CUT_OFF);
  }

  answered(call, model, line) {
    const source = call.archive ? call.entryFor(line.name) : call.sources[call.answered];
    call.answered += 1;
    this.addRow(source?.name ?? numbered(line.name, this.names), line, { source, model });
  }

  addRow(name, line, origin) {
    const row = makeRow(this.rows.length + 1, name, line, origin);
    row.correction = this.corrections.get(name) ?? null;
    this.rows.push(row);
    this.total = Math.max(this.total, this.rows.length);
    this.changed();
  }

  /** What is left to send of a call that was refused as a whole: its halves, until the one file is found that is at fault. */
  refused(call, model, error) {
    const halves = call.halves();
    if (halves) return halves;
    const [source] = call.sources;
    const name = call.archive ? numbered(call.archive.path, this.names) : source.name;
    this.total -= Math.max(0, call.sources.length - call.answered - 1);
    this.addRow(name, { error: error.message }, { source: call.archive ? null : source, model });
    return [];
  }
}

/** Tells whether the service will not take this call, however often it is sent; an unknown model is nobody's file's fault. */
const isRefusal = (error) => [413, 422].includes(error.status) && !/unknown-model$/.test(error.problem?.type ?? "");

/** An error that goes on being one is shown; one of this page's own is thrown. */
function failureOf(error) {
  if (error instanceof ProblemError) return error;
  if (error instanceof StreamBroken) return new ProblemError(0, CUT_OFF);
  throw error;
}

function formOf(call) {
  const form = new FormData();
  for (const { file, name } of call.files()) form.append("files", file, name);
  return form;
}
