/** One file on its way to text: sent, answered page by page, and what is known of it until then. */

import { ProblemError, StreamBroken, api, readLines } from "../ui/script.js";
import { pageOf, pagesOf } from "./answers.js";
import { saveJson, saveOutput } from "./outputs.js";

export const PICTURE_DPI = 150; // of a document's pages: sharp enough to be enlarged a little
export const LONG_PAGES = 50; // of a document that is better read as a job

const PDF = "%PDF-";
const HEAD_BYTES = 1024; // within which a PDF's header has to begin
const CUT_OFF = {
  title: "The answer broke off",
  detail: "The connection ended before all pages were answered. What has come is kept.",
};

/** A document of so many pages that it should be read as a job. */
export class LongDocument extends Error {
  constructor(pages) {
    super(`${pages} pages`);
    this.pages = pages;
  }
}

/** Tells whether a file is a PDF: by what it says it is, or by its first bytes. */
export async function isDocument(file) {
  if (/pdf$/i.test(file.type) || /\.pdf$/i.test(file.name)) return true;
  return (await file.slice(0, HEAD_BYTES).text()).includes(PDF);
}

/** The body of a call: a file and the fields beside it. */
export function formOf(file, fields) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  form.append("file", file, file.name);
  return form;
}

export class Reading {
  /** `state` is queued, running, succeeded, failed or cancelled, as a job's; `changed()` hears whenever there is something new. */
  constructor(file, isDocument, changed) {
    this.file = file;
    this.name = file.name;
    this.isDocument = isDocument;
    this.changed = changed;
    this.reset();
  }

  reset() {
    this.state = "queued";
    this.pages = [];
    this.answer = null;
    this.total = null;
    this.error = null;
    this.seconds = null;
    this.fields = [];
    this.run = null;
  }

  get isRunning() {
    return this.state === "running";
  }

  /** The file itself where it is the picture of a page; null for a document, and for a TIFF's further frames. */
  ownPicture(number) {
    return this.isDocument || number > 1 ? null : this.file;
  }

  /** Has the service draw a page. */
  draw(number, signal) {
    const password = this.fields.filter(([name]) => name === "password");
    const fields = [["page", number], ...(this.isDocument ? [["dpi", PICTURE_DPI], ...password] : [])];
    const headers = { Accept: "image/jpeg" };
    return api("render", { method: "POST", body: formOf(this.file, fields), headers, signal, raw: true });
  }

  /** Reads with these fields; ends in a state, and throws only LongDocument. */
  async read(fields) {
    this.reset();
    this.fields = fields;
    this.run = new AbortController();
    const began = performance.now();
    this.become("running");
    try {
      await (this.isDocument ? this.readDocument() : this.readPicture());
      this.become("succeeded");
    } catch (error) {
      this.failed(error);
    } finally {
      this.seconds = (performance.now() - began) / 1000;
      this.changed();
    }
  }

  cancel() {
    if (this.state === "queued") this.become("cancelled");
    this.run?.abort();
  }

  become(state) {
    this.state = state;
    this.changed();
  }

  failed(error) {
    if (error instanceof LongDocument) {
      this.run.abort();
      throw error;
    }
    if (error.name === "AbortError") {
      this.become("cancelled");
      return;
    }
    this.error = problemOf(error);
    this.become("failed");
  }

  async readPicture() {
    this.answer = await api("upload", this.call());
    this.pages = pagesOf(this.answer);
    this.total = this.pages.length;
  }

  async readDocument() {
    const response = await api("upload_pdf", {
      ...this.call(),
      headers: { Accept: "application/x-ndjson" },
      raw: true,
    });
    this.total = Number(response.headers.get("x-page-count")) || null;
    if (this.total > LONG_PAGES) throw new LongDocument(this.total);
    this.answer = { success: true, results: [] };
    for await (const line of readLines(response.body)) {
      this.run.signal.throwIfAborted();
      if (line.success === false) throw new ProblemError(line.status, line);
      this.answer.results.push(line);
      this.pages.push(pageOf(line));
      this.changed();
    }
    if (this.total && this.pages.length < this.total) throw new StreamBroken("pages are missing");
  }

  call() {
    return { method: "POST", body: formOf(this.file, this.fields), signal: this.run.signal };
  }

  /** Hands the reading to the user in a format; those that the page cannot write are asked of the service. */
  async save(format) {
    if (format.name === "json") {
      saveJson(format, this.name, this.answer);
      return;
    }
    const path = `${this.isDocument ? "upload_pdf" : "upload"}?format=${format.name}`;
    await saveOutput(format, this.name, path, { method: "POST", body: formOf(this.file, this.fields) });
  }
}

/** An error that goes on being one is shown; one of this page's own is thrown. */
function problemOf(error) {
  if (error instanceof ProblemError) return error;
  if (error instanceof StreamBroken) return new ProblemError(0, CUT_OFF);
  throw error;
}
