/** Models: what is loaded, how right each is on which set, and the digest of its file. */

import { copyable, empty, facts, formatBytes, guarded, h, loading, mark, show, table } from "../ui/script.js";

export function mountModels(app) {
  const list = document.querySelector("#models-list");
  const accuracy = document.querySelector("#models-accuracy");
  return {
    async enter() {
      if (!list.firstChild) show(list, loading());
      await guarded(list, async () => {
        const models = await app.loadModels();
        show(list, h("div", { class: "model-cards" }, models.map(modelView)));
        show(accuracy, accuracyTable(models));
      });
    },
  };
}

function modelView(model) {
  const title = h("header", null, h("h3", null, model.name), model.default && mark("normal", "default"));
  const shown = facts([
    ["Framework", model.framework],
    ["Parameters", model.parameters?.toLocaleString("en") ?? null],
    ["File", model.size_bytes ? formatBytes(model.size_bytes) : null],
    ["Input", model.input],
    ["Members", model.members?.join(", ") ?? null],
  ]);
  const digest =
    model.sha256 &&
    h(
      "div",
      { class: "tight" },
      h("span", { class: "label" }, "SHA-256"),
      copyable(model.sha256, `the SHA-256 of ${model.name}`),
    );
  return h("section", { class: "model tight", "aria-label": model.name }, title, shown, digest);
}

/** A row for each set, a column for each model; the best of a row stands out. */
function accuracyTable(models) {
  const sets = [...new Set(models.flatMap((model) => Object.keys(model.accuracy ?? {})))];
  if (!sets.length) return empty("No accuracy was measured for these models.");
  const sharesOf = (set) => models.map((model) => model.accuracy?.[set]).filter(Number.isFinite);
  const cell = (model) => (set) => {
    const share = model.accuracy?.[set];
    if (!Number.isFinite(share)) return "–";
    const stands = share === Math.max(...sharesOf(set)) && share > Math.min(...sharesOf(set));
    return h(stands ? "strong" : "span", null, `${(100 * share).toFixed(2)} %`);
  };
  const columns = models.map((model) => [model.name, cell(model), "num"]);
  return table(
    "Accuracy of each model on each set",
    [["Set", (set) => set.replaceAll("_", " "), "name"], ...columns],
    sets,
  );
}
