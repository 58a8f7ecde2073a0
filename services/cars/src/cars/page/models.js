/** Models: what recognises and how it is, the limits of calls, and the cars that the shipped model knows. */

import {
  api,
  copyable,
  empty,
  facts,
  formatBytes,
  formatDuration,
  guarded,
  h,
  labelled,
  loading,
  mark,
  plural,
  show,
  table,
} from "../ui/script.js";

const BREAKER = {
  closed: ["healthy", "closed: calls go out"],
  open: ["failed", "open: no calls go out"],
  "half-open": ["warning", "half open: one call tries"],
};
const TERMS = {
  max_file_bytes: "Largest file",
  max_pixels: "Most pixels",
  max_files: "Most pictures in a batch",
  max_upload_bytes: "Largest batch",
  job_after: "A job beyond (pictures)",
  max_queue: "Changes that may wait",
  retention_days: "Pictures are kept for",
  retention_bytes: "Pictures are kept up to",
};
const UNITS = /_(bytes|s|days)$/;

class Models {
  constructor(app) {
    this.app = app;
    this.search = h("input", { id: "labels-search", type: "search", autocomplete: "off" });
    this.found = h("div", { class: "stack" });
    this.search.addEventListener("input", () => this.showLabels());
  }

  async enter() {
    if (!find("list").firstChild) show(find("list"), loading());
    await guarded(find("list"), async () => {
      const [health, { items }] = await Promise.all([api("health"), api("models"), this.app.loadLabels()]);
      show(find("service"), serviceView(health));
      show(find("limits"), factsOf(health.limits ?? {}));
      show(find("list"), items.length ? items.map(modelView) : empty("No model is loaded."));
      if (!find("labels").firstChild) show(find("labels"), labelled("Search", this.search), this.found);
      this.showLabels();
    });
  }

  showLabels() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const labels = this.app.labels.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
    const cell = (name) => (label) => label[name] ?? "–";
    const columns = [
      ["Name", cell("name"), "name"],
      ["Make", cell("make")],
      ["Model", cell("model")],
      ["Body", cell("body")],
      ["Year", cell("year"), "num"],
    ];
    const count = h("p", { class: "hint", role: "status" }, plural(labels.length, "car"));
    show(
      this.found,
      count,
      labels.length > 0 && h("div", { class: "tall" }, table("Cars that the model knows", columns, labels)),
    );
  }
}

function serviceView(health) {
  return [
    facts([
      ["Status", mark(health.status)],
      ["Version", health.version],
      ["Database", health.database],
      ["Pictures are in", health.storage === "folder" ? "a folder" : health.storage],
      ["Queue", String(health.queue_depth)],
      ["Runs for", formatDuration(health.uptime_s)],
    ]),
    health.reasons?.length > 0 &&
      h(
        "ul",
        { class: "notes" },
        health.reasons.map((reason) => h("li", null, reason)),
      ),
  ];
}

function modelView({ backend, model, model_version: version, details }) {
  const { sha256, breaker, figures, backend: _backend, model: _model, model_version: _version, ...rest } = details;
  return h(
    "section",
    { class: "stack", "aria-label": model },
    h("h3", null, model),
    facts([
      ["Backend", backend],
      ["Version", version],
      ["Circuit breaker", breaker && breakerView(breaker)],
    ]),
    factsOf({ ...rest, ...figures }),
    sha256 &&
      h(
        "div",
        { class: "tight" },
        h("span", { class: "label" }, "SHA-256"),
        copyable(sha256, "the SHA-256 of the model"),
      ),
  );
}

function breakerView({ state, retry_after_s: wait }) {
  const [kind, text] = BREAKER[state] ?? ["unknown", state];
  return [mark(kind, text), wait > 0 && h("span", { class: "hint" }, ` again in ${formatDuration(wait)}`)].filter(
    Boolean,
  );
}

/** Plain members as terms with their values; those of a nested one are named after it. */
function factsOf(members) {
  const flat = Object.entries(members).flatMap(([key, value]) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.entries(value).map(([inner, each]) => [`${key}_${inner}`, each])
      : [[key, value]],
  );
  const known = flat.filter(([, value]) => (value !== null && typeof value !== "object") || Array.isArray(value));
  const view = facts(known.map(([key, value]) => [termOf(key), valueOf(key, value)]));
  view.classList.add("model-facts");
  return view;
}

/** "size_bytes" as "Size". */
function termOf(key) {
  if (TERMS[key]) return TERMS[key];
  const words = key.replace(UNITS, "").replace(/^hf_/, "Hugging Face ").replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

function valueOf(key, value) {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  const [, unit] = UNITS.exec(key) ?? [];
  if (value === 0 && key.startsWith("retention")) return key.endsWith("days") ? "ever" : "no limit";
  if (unit === "s") return formatDuration(value);
  if (unit === "days") return plural(value, "day");
  return unit ? formatBytes(value) : value.toLocaleString("en");
}

const find = (name) => document.querySelector(`#models-${name}`);

export const mountModels = (app) => new Models(app);
