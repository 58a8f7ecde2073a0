/** An asset's settings: how readings become an alarm, what quality is wanted, drift and adaptation. */

import { ProblemError, api, busy, guarded, h, labelled, loading, problemBox, show } from "../ui/script.js";
import { assetPath } from "./versions.js";

/** [group, title, [name, label, hint, attributes]…]; `empty` marks a field that may be left empty (off). */
const GROUPS = [
  [
    "alarm",
    "Alarm",
    [
      ["enabled", "Raise alarms", null, { type: "checkbox" }],
      ["m", "At least m", "readings over the threshold …", { type: "number", min: 1, max: 100, step: 1 }],
      ["n", "of the last n", "… among so many", { type: "number", min: 1, max: 100, step: 1 }],
      [
        "ewma",
        "Smoothing (EWMA)",
        "1 is none; smaller is smoother",
        { type: "number", min: 0.01, max: 1, step: "any" },
      ],
      ["on_delay_s", "On delay in s", "over for so long before it opens", { type: "number", min: 0, step: "any" }],
      ["off_delay_s", "Off delay in s", "normal for so long before it clears", { type: "number", min: 0, step: "any" }],
      [
        "silence_s",
        "Silence in s",
        "alert when no reading comes; empty: off",
        { type: "number", min: 1, step: "any", "data-empty": true },
      ],
      ["latch", "Latch: stays until acknowledged", null, { type: "checkbox" }],
    ],
  ],
  [
    "quality",
    "Quality",
    [
      [
        "max_null_share",
        "Share of missing values",
        "0 to 1; more are not judged",
        { type: "number", min: 0, max: 1, step: "any" },
      ],
      [
        "max_gap_s",
        "Longest gap in s",
        "a longer one restarts the window; empty: off",
        { type: "number", min: 0, step: "any", "data-empty": true },
      ],
    ],
  ],
  ["drift", "Drift", [["enabled", "Watch for drift", null, { type: "checkbox" }]]],
  [
    "adaptation",
    "Adaptation",
    [
      ["enabled", "Adapt to slow change", null, { type: "checkbox" }],
      [
        "max_shift",
        "Largest shift",
        "in standard deviations of the training rows",
        { type: "number", min: 0, step: "any" },
      ],
      ["interval_rows", "Every so many rows", null, { type: "number", min: 1, step: 1 }],
    ],
  ],
];

export function mountSettings() {
  const form = document.querySelector("#settings-form");
  const view = { asset: null, document: null };
  const body = h("div");
  const message = h("div", { role: "status" });
  show(form, h("details", null, h("summary", null, h("h2", null, "Settings of the asset")), body));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("[type=submit]"), () => save(form, view, message));
  });
  return {
    async load(asset) {
      view.asset = asset;
      show(body, loading());
      await guarded(body, async () => {
        const settings = await api(`${assetPath(asset)}/settings`);
        if (asset !== view.asset) return;
        view.document = settings;
        const submit = h("button", { type: "submit", class: "primary" }, "Save settings");
        const groups = GROUPS.map((group) => groupView(group, settings));
        show(message);
        show(body, groups, h("div", { class: "actions spaced" }, submit), message);
      });
    },
  };
}

function groupView([group, title, fields], settings) {
  const views = fields.map((field) => setting(group, field, settings[group]?.[field[0]]));
  return h("fieldset", { class: "spaced" }, h("legend", null, title), h("div", { class: "grid-fields" }, views));
}

function setting(group, [name, label, hint, attributes], value) {
  const common = { id: `setting-${group}-${name}`, "data-group": group, name, ...attributes };
  if (attributes.type === "checkbox") {
    return h("label", { class: "check" }, h("input", { ...common, checked: value === true }), label);
  }
  const required = !attributes["data-empty"];
  return labelled(label, h("input", { ...common, value: value ?? "", required }), hint);
}

/** Members that this form does not know stay as they were: PUT replaces the whole document. */
async function save(form, view, message) {
  const changed = structuredClone(view.document);
  for (const input of form.querySelectorAll("input[data-group]")) {
    const value = input.type === "checkbox" ? input.checked : input.value === "" ? null : Number(input.value);
    (changed[input.dataset.group] ??= {})[input.name] = value;
  }
  try {
    view.document = await api(`${assetPath(view.asset)}/settings`, { method: "PUT", json: changed });
    show(message, h("p", { class: "done" }, "Saved; they hold from the next reading on."));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    show(message, problemBox(error));
  }
}
