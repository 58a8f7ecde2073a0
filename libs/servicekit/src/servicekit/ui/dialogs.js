/** Questions asked in a modal dialog: focus goes in, Escape cancels, focus comes back. */

import { h } from "./elements.js";

function field(spec) {
  const id = `dialog-${spec.name}`;
  const common = { id, name: spec.name, required: spec.required, maxlength: spec.maxlength, pattern: spec.pattern, title: spec.hint };
  let control;
  if (spec.options) {
    control = h("select", common, spec.options.map(([value, text]) => h("option", { value, selected: value === spec.value }, text)));
  } else if (spec.rows) {
    control = h("textarea", { ...common, rows: spec.rows });
    control.value = spec.value ?? "";
  } else {
    control = h("input", { ...common, type: spec.type ?? "text", value: spec.value, min: spec.min, max: spec.max, autocomplete: spec.autocomplete ?? "off" });
  }
  return h("div", { class: "field" }, h("label", { for: id }, spec.label), control, spec.hint && h("p", { class: "hint" }, spec.hint));
}

/** Shows a dialog with fields; resolves to {name: text} or to null when cancelled. */
export function ask({ title, text, fields = [], action = "OK", danger = false }) {
  const cancel = h("button", { type: "button", class: "quiet" }, "Cancel");
  const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), text && h("p", null, text), fields.map(field),
    h("div", { class: "actions end" }, cancel, h("button", { type: "submit", class: danger ? "danger" : "primary", value: "yes" }, action)));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    cancel.addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("close", () => {
      const answer = dialog.returnValue === "yes" ? Object.fromEntries(new FormData(form)) : null;
      dialog.remove();
      resolve(answer);
    });
    dialog.showModal();
    (danger ? cancel : form.querySelector("input, textarea, select, button[type=submit]")).focus();
  });
}

/** A yes-or-no question; the safe answer has the focus where the other one destroys something. */
export async function confirm(title, text, action, danger = true) {
  return (await ask({ title, text, action, danger })) !== null;
}
