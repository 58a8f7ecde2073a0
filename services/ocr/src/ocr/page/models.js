/** Models: what reads, on what, which languages, and the limits that calls have. */

import {
  copyable,
  empty,
  facts,
  formatBytes,
  formatDuration,
  guarded,
  h,
  loading,
  mark,
  show,
  api,
} from "../ui/script.js";

export function mountModels() {
  const list = document.querySelector("#models-list");
  return {
    async enter() {
      if (!list.firstChild) show(list, loading());
      await guarded(list, async () => {
        const [health, { items }] = await Promise.all([api("health"), api("models")]);
        show(document.querySelector("#models-service"), serviceView(health));
        show(document.querySelector("#models-limits"), limitsView(health.limits ?? {}));
        show(
          list,
          items.length ? h("div", { class: "model-cards" }, items.map(modelView)) : empty("No models are loaded."),
        );
      });
    },
  };
}

const serviceView = (health) => [
  facts([
    ["Status", mark(health.status)],
    ["Engine", health.model],
    ["Models", health.model_version],
    ["Computes on", health.providers?.join(", ")],
    ["GPU", health.gpu_support ? "yes" : "no"],
    ["Queue", health.queue_depth],
  ]),
  h(
    "div",
    { class: "tight" },
    h("span", { class: "label" }, "Languages"),
    h("p", null, health.supported_languages?.join(", ") ?? "–"),
  ),
];

function modelView(model) {
  const known = { name: null, stage: null, role: null, languages: null, sha256: null };
  const pairs = Object.entries(model).filter(([key, value]) => !(key in known) && isPlain(value));
  const digest =
    model.sha256 &&
    h(
      "div",
      { class: "tight" },
      h("span", { class: "label" }, "SHA-256"),
      copyable(model.sha256, `the SHA-256 of ${model.name}`),
    );
  return h(
    "section",
    { class: "model tight", "aria-label": model.name },
    h("h3", null, model.role ? `${model.role[0].toUpperCase()}${model.role.slice(1)}: ${model.name}` : model.name),
    facts(pairs.map(([key, value]) => [termOf(key), valueOf(key, value)])),
    digest,
  );
}

const limitsView = (limits) => {
  const pairs = Object.entries(limits).filter(([, value]) => isPlain(value));
  return pairs.length
    ? facts(pairs.map(([key, value]) => [termOf(key), valueOf(key, value)]))
    : empty("The service tells none.");
};

const isPlain = (value) => ["string", "number", "boolean"].includes(typeof value) || Array.isArray(value);

const UNITS = /_(bytes|s|file_size)$/;

/** "max_file_bytes" as "Max file", "pdf_page_s" as "PDF page". */
function termOf(key) {
  const words = key
    .replace(/_(bytes|s)$/, "")
    .replaceAll("_", " ")
    .replace(/\bpdf\b/, "PDF")
    .replace(/\bdpi\b/, "DPI");
  return words[0].toUpperCase() + words.slice(1);
}

function valueOf(key, value) {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return value;
  const [, unit] = UNITS.exec(key) ?? [];
  if (unit === "s") return formatDuration(value);
  return unit ? formatBytes(value) : value.toLocaleString("en");
}
