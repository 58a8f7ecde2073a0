/** One file on its way: it is sent, kept by the service, recognised; each step can fail and be tried again. */

import { ProblemError, api, formatBytes } from "../ui/script.js";
import { patiently, sendFile } from "./send.js";

const LATER = [401, 403, 408, 429]; // refusals that are not the file's fault

export class Sending {
  /** `changed(this)` hears of every step; `limits()` resolves to the service's limits, or to null. */
  constructor({ file, path }, limits, changed) {
    Object.assign(this, { file, path, limits, changed, state: "queued", progress: 0, answer: null, error: null });
  }

  get isOver() {
    return ["done", "refused", "failed"].includes(this.state);
  }

  /** Whether another try may help. */
  get isFailed() {
    return this.state === "failed";
  }

  queue() {
    this.step("queued", { error: null, progress: 0 });
  }

  /** Does what is left to do. */
  async run() {
    try {
      await this.check();
      this.answer ??= await this.send();
      if (this.answer.recognized === null) await this.recognise();
      this.step("done");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      const isRefusal = error.status >= 400 && error.status < 500 && !LATER.includes(error.status);
      this.step(isRefusal ? "refused" : "failed", { error });
    }
  }

  /** A file that is too large is not worth the way. */
  async check() {
    const most = (await this.limits())?.max_file_bytes ?? Infinity;
    if (this.file.size <= most) return;
    const detail = `The file has ${formatBytes(this.file.size)}, the limit is ${formatBytes(most)}.`;
    throw new ProblemError(413, { title: "The file is too large", detail });
  }

  async send() {
    this.step("sending");
    const progressed = (progress) => this.step("sending", { progress });
    return patiently(() => sendFile("upload/", this.file, this.file.name, progressed));
  }

  async recognise() {
    this.step("recognising", { progress: 1 });
    const { duplicate } = this.answer;
    const read = await patiently(() => api(`inference/${this.answer.id}`, { method: "POST" }));
    this.answer = { ...read, duplicate };
  }

  step(state, more = {}) {
    Object.assign(this, { state }, more);
    this.changed(this);
  }
}
