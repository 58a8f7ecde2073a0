/** What a call can choose of the reading; only what differs from the service's own settings is sent. */

import { h, labelled, show } from "../ui/script.js";

const SLIDERS = [
  {
    name: "text_score",
    label: "Least confidence of a line",
    hint: "Lines below it are left out.",
    min: 0,
    max: 1,
    step: 0.05,
    value: 0.5,
  },
  {
    name: "box_thresh",
    label: "Least certainty of a box",
    hint: "Lower finds fainter text, and more that is none.",
    min: 0,
    max: 1,
    step: 0.05,
    value: 0.5,
  },
  {
    name: "unclip_ratio",
    label: "Widening of a box",
    hint: "Higher leaves more room around the letters.",
    min: 1,
    max: 4,
    step: 0.1,
    value: 1.6,
  },
];
const SWITCHES = [
  { name: "use_det", label: "Find lines", hint: "Off: the picture is one line.", value: true },
  { name: "use_cls", label: "Turn what is upside down", hint: "Off: every line is read as it lies.", value: true },
  { name: "use_rec", label: "Read the lines", hint: "Off: places without text.", value: true },
  { name: "return_word_box", label: "Boxes of words", hint: "Where each word of a line is.", value: false },
];
const MODES = [
  ["auto", "Text layer where it is good, else OCR"],
  ["text", "Text layer only"],
  ["ocr", "OCR only"],
];

export class Options {
  /** `changed()` hears of every change. */
  constructor(form, changed) {
    this.form = form;
    this.defaults = Object.fromEntries([...SLIDERS, ...SWITCHES].map(({ name, value }) => [name, value]));
    show(form, this.forAll(), this.forDocuments());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      this.say();
      changed();
    });
    this.say();
  }

  forAll() {
    const legend = h("legend", { class: "visually-hidden" }, "For pictures and PDFs");
    return h("fieldset", null, legend, SLIDERS.map(slider), h("div", { class: "switches" }, SWITCHES.map(toggle)));
  }

  forDocuments() {
    const option = ([value, text]) => h("option", { value }, text);
    return h(
      "fieldset",
      null,
      h("legend", null, "PDFs"),
      labelled("Text from", h("select", { id: "option-mode", name: "mode" }, MODES.map(option))),
      h(
        "div",
        { class: "pair" },
        labelled("Pages", text("pages", { placeholder: "all" }), "Such as 1-3, 7, 10- for page 10 to the last."),
        labelled("Resolution in dpi", text("dpi", { type: "number", min: 72, max: 600, placeholder: "as set" })),
      ),
      labelled(
        "Password",
        text("password", { type: "password", autocomplete: "off" }),
        "Only for encrypted PDFs; kept in this page alone.",
      ),
      toggle({ name: "job", label: "Read as a job", hint: "In the background; long PDFs always are.", value: false }),
    );
  }

  /** Begins at the service's own settings. */
  setDefaults(defaults) {
    for (const { name } of SLIDERS) {
      const value = defaults[name];
      if (!Number.isFinite(value)) continue;
      const { input } = this.control(name);
      if (Number(input.value) === this.defaults[name]) input.value = value;
      this.defaults[name] = value;
    }
    if (defaults.pdf_dpi) this.form.elements.dpi.placeholder = String(defaults.pdf_dpi);
    this.say();
  }

  control(name) {
    return { input: this.form.elements[name], output: this.form.querySelector(`output[for="option-${name}"]`) };
  }

  /** Whether to read in the background. */
  get asJob() {
    return this.form.elements.job.checked;
  }

  set password(text) {
    this.form.elements.password.value = text;
  }

  get isValid() {
    return this.form.checkValidity();
  }

  /** Says in words what is wrong with a field. */
  reportValidity() {
    return this.form.reportValidity();
  }

  /** The fields of a call, as [name, text]; those of documents only where one is read. */
  fields(isDocument) {
    const { elements } = this.form;
    const moved = SLIDERS.filter(({ name }) => Number(elements[name].value) !== this.defaults[name]);
    const switched = SWITCHES.filter(({ name, value }) => elements[name].checked !== value);
    const own = isDocument ? ["pages", "dpi", "password"].filter((name) => elements[name].value.trim()) : [];
    const mode = isDocument && elements.mode.value !== MODES[0][0] ? [["mode", elements.mode.value]] : [];
    return [
      ...moved.map(({ name }) => [name, elements[name].value]),
      ...switched.map(({ name }) => [name, String(elements[name].checked)]),
      ...mode,
      ...own.map((name) => [name, name === "password" ? elements[name].value : elements[name].value.trim()]),
    ];
  }

  /** Shows the values of the sliders, and what is not as usual beside the closed disclosure. */
  say() {
    for (const { name } of SLIDERS) {
      const { input, output } = this.control(name);
      show(output, Number(input.value).toFixed(2));
    }
    const count = this.fields(true).length + Number(this.asJob);
    show(document.querySelector("#options-said"), count ? `${count} changed` : "");
  }
}

function slider({ name, label, hint, ...range }) {
  const id = `option-${name}`;
  const input = h("input", { type: "range", id, name, "aria-describedby": `${id}-hint`, ...range });
  return h(
    "div",
    { class: "field slider-field" },
    h("label", { for: id }, label),
    h("output", { for: id }),
    input,
    h("p", { class: "hint", id: `${id}-hint` }, `${hint} ${range.min} to ${range.max}.`),
  );
}

function toggle({ name, label, hint, value }) {
  const id = `option-${name}`;
  const input = h("input", { type: "checkbox", id, name, checked: value, "aria-describedby": `${id}-hint` });
  return h(
    "div",
    { class: "switch" },
    h("label", { class: "check", for: id }, input, label),
    h("p", { class: "hint", id: `${id}-hint` }, hint),
  );
}

const text = (name, attributes) =>
  h("input", { id: `option-${name}`, name, autocomplete: "off", spellcheck: "false", ...attributes });
