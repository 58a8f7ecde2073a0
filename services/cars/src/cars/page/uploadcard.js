/** A file of the upload list: how far it is, then its picture and what it shows, or what went wrong. */

import { formatBytes, h, mark, problemBox, show } from "../ui/script.js";
import { answerView } from "./answer.js";
import { framed } from "./region.js";

const STATES = {
  queued: ["queued", "waiting"],
  sending: ["running", "being sent"],
  recognising: ["processing", "being recognised"],
  done: ["succeeded", "done"],
  refused: ["failed", "refused"],
  failed: ["failed", "failed"],
};

/** Draws a Sending into its card; while it is being sent only its bar moves. */
export function cardOf(card, sending, retry) {
  const bar = card.querySelector("progress");
  if (bar && card.dataset.step === sending.state) {
    bar.value = sending.progress;
    return;
  }
  const isFocused = card.contains(document.activeElement);
  card.dataset.step = sending.state;
  show(card, sending.answer && picture(sending.answer), body(sending, retry));
  if (isFocused) card.querySelector("a, button")?.focus();
}

const picture = (file) => h("a", { href: `#file/${file.id}`, class: "upload-picture" }, framed(file));

function body(sending, retry) {
  const { answer, error, state, isFailed } = sending;
  return h(
    "div",
    { class: "upload-body tight" },
    header(sending),
    error && problemBox(error, isFailed ? retry : null),
    (state === "sending" || state === "recognising") && progressOf(sending),
    state === "done" && answerView(answer),
    answer && h("p", null, h("a", { href: `#file/${answer.id}` }, "Look closer or correct")),
  );
}

function header({ file, path, answer, state }) {
  const [kind, word] = STATES[state];
  const size = answer ? `${answer.width} × ${answer.height} px · ` : "";
  return h(
    "header",
    { class: "upload-head" },
    h("h3", { class: "file-name", title: path }, file.name),
    h("span", { class: "hint" }, `${size}${formatBytes(file.size)}`),
    state !== "done" && mark(kind, word),
    answer?.duplicate && mark("info", "was here already"),
  );
}

/** Recognising takes as long as it takes: its bar has no value. */
function progressOf({ file, progress, state }) {
  const value = state === "sending" ? progress : null;
  return h("progress", { max: 1, value, "aria-label": `${file.name}: ${STATES[state][1]}` });
}
