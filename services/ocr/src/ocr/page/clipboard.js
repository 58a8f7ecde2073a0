/** Copying text, also where the clipboard's own interface is missing: it wants https or localhost. */

import { announce, h } from "../ui/script.js";

const SAID_MS = 1600;

/** Copies; tells whether that worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** By way of a field that is selected for a moment; the focus and what the user has selected stay as they were. */
function copySelected(text) {
  const focused = document.activeElement;
  const selection = getSelection();
  const range = selection.rangeCount ? selection.getRangeAt(0) : null;
  const field = h("textarea", { class: "visually-hidden", "aria-hidden": "true", tabindex: -1 });
  field.value = text;
  document.body.append(field);
  field.select();
  const worked = document.execCommand("copy");
  field.remove();
  focused?.focus({ preventScroll: true });
  if (range) {
    selection.removeAllRanges();
    selection.addRange(range);
  }
  return worked;
}

/** Copies, and says so on the element for a moment: in its attribute `data-said`, and to screen readers. */
export async function copyFrom(element, text, said = "Copied") {
  const outcome = (await copyText(text)) ? said : "Could not be copied";
  element.dataset.said = outcome;
  announce(outcome);
  setTimeout(() => delete element.dataset.said, SAID_MS);
}
