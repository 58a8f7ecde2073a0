/** Questions asked in a modal dialog: focus goes in, Escape cancels, focus comes back. */

import { button, h, labelled } from "./elements.js";

function field({ name, label, hint, options, rows, value, ...attributes }) {
  const common = { id: `dialog-${name}`, name, ...attributes };
  if (options) {
    const option = ([key, text]) => h("option", { value: key, selected: key === value }, text);
    return labelled(label, h("select", common, options.map(option)), hint);
  }
  const control = rows ? h("textarea", { ...common, rows }) : h("input", { autocomplete: "off", ...common });
  control.value = value ?? "";
  return labelled(label, control, hint);
}

/** Shows a dialog with fields; resolves to {name: text} or to null when cancelled. */
export function ask({ title, text, fields = [], action = "OK", danger = false }) {
  const cancel = button("Cancel", () => dialog.close(""), "quiet");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "dialog-title" }, title),
    text && h("p", null, text),
    fields.map(field),
    h(
      "div",
      { class: "actions end" },
      cancel,
      h("button", { type: "submit", class: danger ? "danger" : "primary", value: "yes" }, action),
    ),
  );
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
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
