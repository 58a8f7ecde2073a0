/** A picture (`#file/ID`): large, with the part that was read; what it shows, what somebody says it shows, and its metadata. */

import {
  ProblemError,
  announce,
  api,
  busy,
  button,
  confirm,
  copyable,
  empty,
  facts,
  formatBytes,
  guarded,
  h,
  loading,
  problemBox,
  saveFile,
  show,
  time,
} from "../ui/script.js";
import { answerView, stateOf, titleOf } from "./answer.js";
import { CorrectionForm } from "./correction.js";
import { PartReader } from "./partreader.js";
import { loadPicture } from "./picture.js";

class Detail {
  constructor(app) {
    this.app = app;
    this.place = document.querySelector("#file");
    this.id = null;
    this.shownId = null;
  }

  async enter(detail) {
    if (!detail && this.shownId) return this.app.tabs.open("file", this.shownId);
    this.id = detail;
    if (!/^[1-9]\d*$/.test(detail)) return this.showNone(detail);
    if (this.shownId !== detail) show(this.place, loading());
    return guarded(this.place, async () => this.draw(detail, await api(`files/${detail}`)));
  }

  showNone(detail) {
    const text = detail ? "No picture has this number." : "No picture is chosen.";
    show(this.place, empty(text, h("a", { href: "#gallery" }, "Choose one in the gallery")));
  }

  /** Draws a file unless somebody has gone on to another one meanwhile. */
  draw(id, file) {
    if (this.id !== id) return;
    this.shownId = id;
    this.file = file;
    this.message = h("div");
    this.answer = h("div", { class: "tight" });
    const reader = new PartReader(file, (bbox) => this.attempt(() => this.recognise({ bbox })));
    this.correction = new CorrectionForm(this.app, file, (changed) => this.draw(id, changed));
    const heading = h("h2", { class: "file-name", tabindex: -1 }, file.filename);
    const focused = document.activeElement;
    const isFree = focused === document.body || this.place.contains(focused) || !focused.checkVisibility();
    show(
      this.place,
      h("div", { class: "card detail-head" }, heading, stateOf(file), this.actions(), this.message),
      h(
        "div",
        { class: "columns detail" },
        h("div", { class: "card stack" }, reader.element),
        h(
          "div",
          { class: "stack" },
          h("div", { class: "card stack" }, h("header", null, h("h3", null, "What the model says")), this.answer),
          h("div", { class: "card stack" }, this.correction.element),
          h("div", { class: "card stack" }, h("header", null, h("h3", null, "File")), metadata(file)),
        ),
      ),
    );
    this.showAnswer();
    if (isFree) heading.focus({ preventScroll: true }); // what had the focus is gone
  }

  showAnswer() {
    const { file } = this;
    const waits = h("p", { class: "hint" }, "It has not been recognised yet.");
    const failure = file.error && problemBox(new ProblemError(file.error.status, file.error));
    show(this.answer, failure || answerView(file) || waits);
    if (file.status === "processing") this.attempt(() => this.recognise()); // waits for the one that runs
  }

  actions() {
    const act = (text, action, kind = "small") => {
      const pressed = button(text, () => busy(pressed, () => this.attempt(action)), kind);
      return pressed;
    };
    const isRead = this.file.recognized !== null;
    return h(
      "div",
      { class: "actions" },
      act(isRead ? "Recognise again" : "Recognise", () => this.recognise(isRead && { force: true }), isRead ? "small" : "small primary"),
      act("Download", () => this.save()),
      act("Delete", () => this.remove(), "small danger"),
    );
  }

  async attempt(action) {
    show(this.message);
    try {
      await action();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  async recognise(how) {
    const { id } = this;
    const file = await api(`inference/${id}${how ? `?${new URLSearchParams(how)}` : ""}`, { method: "POST" });
    this.draw(id, file);
    announce(titleOf(file));
  }

  async save() {
    saveFile(await loadPicture(this.file), this.file.filename);
  }

  async remove() {
    const text = "The picture, what was recognised on it and its correction are gone for good.";
    if (!(await confirm(`Delete ${this.file.filename}?`, text, "Delete"))) return;
    await api(`files/${this.id}`, { method: "DELETE" });
    this.shownId = null;
    this.app.tabs.open("gallery");
  }
}

function metadata(file) {
  const model = [file.model, file.model_version].filter(Boolean).join(" ");
  return [
    facts([
      ["Number", String(file.id)],
      ["Size", `${file.width} × ${file.height} px`],
      ["File", `${file.content_type === "image/png" ? "PNG" : "JPEG"}, ${formatBytes(file.size_bytes)}`],
      ["Uploaded", time(file.uploaded_at)],
      ["Recognised", file.recognized_at && time(file.recognized_at)],
      ["Backend", file.backend],
      ["Model", model || null],
    ]),
    h("div", { class: "tight" }, h("span", { class: "label" }, "SHA-256"), copyable(file.sha256, "the SHA-256")),
  ];
}

export const mountDetail = (app) => new Detail(app);
