/** Statistics: counts as plots with their tables beside them, the report, and everything as a spreadsheet. */

import {
  api,
  apiKey,
  busy,
  button,
  download,
  empty,
  facts,
  formatBytes,
  guarded,
  h,
  loading,
  show,
  table,
} from "../ui/script.js";
import { reasons, statuses } from "./answer.js";
import { plot } from "./plot.js";

const MOST_BARS = 12;
const REPORT = "visualization/report";

class Statistics {
  async enter() {
    show(find("links"), this.links());
    if (!find("facts").firstChild) show(find("facts"), loading());
    await guarded(find("message"), async () => {
      const stats = await api("visualization/stats");
      show(find("message"));
      show(find("facts"), summary(stats));
      show(
        find("plots"),
        stats.files ? plots(stats) : empty("There are no pictures yet.", h("a", { href: "#upload" }, "Upload some")),
      );
    });
    if (find("facts").querySelector(".loading")) show(find("facts"));
  }

  /** A link cannot take a key along: then the report is fetched and saved. */
  links() {
    const report = apiKey()
      ? this.saver("Report", REPORT, "cars.html")
      : h("a", { class: "button", href: REPORT, target: "_blank", rel: "noopener" }, "Report");
    const csv = this.saver("CSV", "visualization/export/csv", "cars.csv");
    return [report, csv, this.saver("XLSX", "visualization/export/xlsx", "cars.xlsx")];
  }

  saver(text, path, name) {
    const save = () => guarded(find("message"), () => download(path, name, { Accept: "*/*" }));
    const pressed = button(text, () => busy(pressed, save), null, `${text}: save`);
    return pressed;
  }
}

const summary = (stats) =>
  facts([
    ["Pictures", number(stats.files)],
    ["Recognised", number(stats.by_status.recognized ?? 0)],
    ["Not recognised", number(stats.by_status.unrecognized ?? 0)],
    ["Corrected", number(stats.corrections)],
    ["Size of the files", formatBytes(stats.size_bytes)],
  ]);

function plots(stats) {
  const named = (pairs, counts) => pairs.map(([key, name]) => ({ key, name, count: counts[key] ?? 0 }));
  const entries = (counts) => Object.entries(counts).map(([name, count]) => ({ key: name, name, count }));
  const models = stats.by_model.map(({ make, model, count }) => ({
    key: model,
    name: [make, model].filter(Boolean).join(" "),
    count,
  }));
  const why = named(reasons(), stats.by_reason).filter(({ count }) => count);
  return [
    section("By status", "bars", "Status", named(statuses(), stats.by_status), (key) => ({ status: key })),
    section("By make", "bars", "Make", entries(stats.by_make), (key) => ({ make: key })),
    section("By model", "bars", "Model", models, (key) => ({ model: key })),
    section("By confidence of the first answer", "columns", "Confidence", steps(stats.by_confidence)),
    section("Why pictures are not recognised", "bars", "Reason", why),
    section("By day of the upload (UTC)", "columns", "Day", entries(stats.by_day)),
  ];
}

const steps = (counts) =>
  counts.map((count, index) => ({ key: String(index), name: `${index * 10}–${(index + 1) * 10} %`, count }));

/** A plot with its table; `filter` makes of a key what the gallery is to show. */
function section(title, kind, term, items, filter = null) {
  if (!items.some(({ count }) => count)) return null;
  const shown = kind === "bars" ? items.slice(0, MOST_BARS) : items;
  const others = items.length - shown.length;
  const name = (item) => (filter && item.count ? h("a", { href: galleryOf(filter(item.key)) }, item.name) : item.name);
  const columns = [
    [term, name, "name"],
    ["Pictures", ({ count }) => number(count), "num"],
  ];
  return h(
    "div",
    { class: "card stack", role: "group", "aria-label": title },
    h("header", null, h("h2", null, title)),
    h(
      "div",
      { class: "plot-pair" },
      h(
        "div",
        { class: "plot-side" },
        plot(kind, `${title}: the table says the same`, shown),
        others > 0 && h("p", { class: "hint" }, `The table has ${others} more.`),
      ),
      h("div", { class: "tall" }, table(title, columns, items)),
    ),
  );
}

const galleryOf = (chosen) => `#gallery/${encodeURIComponent(new URLSearchParams(chosen).toString())}`;
const number = (count) => count.toLocaleString("en");
const find = (name) => document.querySelector(`#statistics-${name}`);

export const mountStatistics = () => new Statistics();
