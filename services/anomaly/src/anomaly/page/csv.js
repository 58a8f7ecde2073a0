/** CSV: a file of rows, scored in one call, shown as a plot with its worst rows. */

import {
  ProblemError,
  announce,
  api,
  button,
  dropZone,
  facts,
  formatNumber,
  formatPercent,
  h,
  loading,
  mark,
  plural,
  problemBox,
  saveFile,
  show,
  table,
  trendChart,
  writeTable,
} from "../ui/script.js";
import { readTable } from "./table.js";
import { toNumber } from "./values.js";
import { activeVersion } from "./versions.js";

const WORST = 15;
const SHOWN_COLUMNS = 8;
const LOG_FROM = 30; // times the threshold: a linear scale would flatten all the rest

export function mountCsv(app) {
  const place = document.querySelector("#csv-result");
  let latest = 0;
  dropZone(document.querySelector("#csv-drop"), async (file) => {
    latest += 1;
    const mine = latest;
    show(place, loading(`Scoring ${file.name}…`));
    try {
      const [text, answer, version] = await Promise.all([
        file.text(),
        api("batch", { method: "POST", body: file, headers: { "Content-Type": "text/csv" } }),
        activeVersion("default"),
      ]);
      if (mine === latest) showResult(place, app, { file, text, answer, version });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (mine === latest) show(place, problemBox(error));
    }
  });
  return {
    async enter() {
      const sensors = (await activeVersion("default").catch(() => null))?.sensors;
      const named =
        sensors &&
        ` The model takes ${plural(sensors.length, "sensor")}: ${sensors
          .map((sensor) => sensor.name)
          .slice(0, 12)
          .join(", ")}${sensors.length > 12 ? ", …" : ""}.`;
      show(
        document.querySelector("#csv-hint"),
        "One row a line, one column a sensor. A header and a timestamp column are recognised; so are semicolons and tabs.",
        named,
      );
    },
  };
}

function showResult(place, app, { file, text, answer, version }) {
  const source = readTable(text);
  const threshold = version?.threshold ?? null;
  const same = source.rows.length === answer.scores.length;
  const rowOf = (index) => (same ? source.rows[index] : { line: index + 1, cells: [] });
  const save = button("Download the result as CSV", () => saveResult(file, source, answer, threshold));
  const chartPlace = h("div");
  const log = h("input", { type: "checkbox" });
  const logLabel = h("label", { class: "check" }, log, "Log scale");
  show(
    place,
    card(file.name, save, summary(answer, threshold, version)),
    card("Score of each row", logLabel, chartPlace),
    card("Worst rows", null, worst(app, source, answer, threshold, rowOf, version?.sensors)),
  );
  log.checked = threshold !== null && highestOf(answer.scores) > LOG_FROM * threshold;
  plot(chartPlace, log, `Scores of ${file.name}`, answer, threshold, rowOf);
  const anomalies = answer.statuses.filter((status) => status === "anomaly").length;
  announce(`${plural(answer.statuses.length, "row")} scored, ${plural(anomalies, "anomaly", "anomalies")}`);
}

const card = (title, tool, content) =>
  h("div", { class: "card" }, h("header", null, h("h2", null, title), tool), content);

function plot(place, log, label, { scores, statuses }, threshold, rowOf) {
  const chart = trendChart(place, { label, height: 300, xFormat: (row) => String(Math.round(row)) });
  const points = scores.map((score, index) => {
    const said = score === null ? "not judged" : `score ${formatNumber(score)}`;
    const text = `Row ${index + 1} (line ${rowOf(index).line}): ${said}, ${statuses[index]}`;
    return { x: index + 1, y: score, threshold, status: statuses[index], text };
  });
  const draw = () => chart.draw(points, { logarithmic: log.checked });
  log.addEventListener("change", draw);
  draw();
}

const highestOf = (scores) => scores.reduce((most, score) => Math.max(most, score ?? 0), 0);

function summary({ scores, statuses }, threshold, version) {
  const count = (status) => statuses.filter((candidate) => candidate === status).length;
  const of = (status) =>
    `${count(status).toLocaleString("en")} (${formatPercent(count(status) / Math.max(1, statuses.length))})`;
  return facts([
    ["Rows", statuses.length.toLocaleString("en")],
    ["Normal", of("normal")],
    ["Anomalies", h("strong", null, of("anomaly"))],
    ["Unknown", count("unknown") ? of("unknown") : "0"],
    ["Highest score", formatNumber(highestOf(scores))],
    ["Threshold", formatNumber(threshold)],
    ["Model", version ? `${version.kind}, version ${version.version}` : null],
  ]);
}

function worst(app, source, { scores, statuses }, threshold, rowOf, sensors) {
  const order = scores
    .map((score, index) => index)
    .filter((index) => scores[index] !== null)
    .sort((a, b) => scores[b] - scores[a])
    .slice(0, WORST);
  if (!order.length) return h("p", { class: "empty" }, "No row could be judged.");
  const width = Math.max(...order.map((index) => rowOf(index).cells.length));
  const columns = Array.from({ length: Math.min(width, SHOWN_COLUMNS) }, (_, column) => [
    source.header?.[column] ?? `column ${column + 1}`,
    (index) => rowOf(index).cells[column] ?? "",
    "num",
  ]);
  const rest = width > SHOWN_COLUMNS ? [[`+ ${width - SHOWN_COLUMNS} more`, () => "…"]] : [];
  const all = [
    ["Line", (index) => String(rowOf(index).line), "num"],
    ["Score", (index) => formatNumber(scores[index]), "num"],
    ["÷ threshold", (index) => (threshold ? formatNumber(scores[index] / threshold, 3) : "–"), "num"],
    ["Status", (index) => mark(statuses[index])],
    ...columns,
    ...rest,
    ["", (index) => explain(app, rowOf(index), source.header, sensors), "num"],
  ];
  return table("Worst rows", all, order);
}

/** Opens the row under Score, where its sensors' shares are shown; only where its numbers are exactly the sensors' values. */
function explain(app, row, header, sensors) {
  const values = valuesOf(row, header, sensors ?? []);
  const open = () => {
    app.values = values;
    app.navigate("score");
  };
  return values ? button("Explain", open, "small quiet", `Explain line ${row.line}`) : "";
}

/** The values in the order of the sensors: by the names in the header where they are there, else the numbers as they stand. */
function valuesOf(row, header, sensors) {
  const columns = sensors.map(({ name }) => header?.indexOf(name) ?? -1);
  const cells =
    sensors.length && columns.every((column) => column >= 0)
      ? columns.map((column) => row.cells[column] ?? "")
      : row.cells;
  const values = cells.map((cell) => toNumber(cell)).filter((value) => !Number.isNaN(value));
  return values.length && values.length === sensors.length ? values : null;
}

function saveResult(file, source, { scores, statuses }, threshold) {
  const same = source.rows.length === scores.length;
  const numbered = source.rows[0]?.cells.map((_, index) => `column_${index + 1}`);
  const header = same ? (source.header ?? numbered ?? []) : ["row"];
  const cellsOf = (index) => (same ? source.rows[index].cells : [String(index + 1)]);
  const rows = scores.map((score, index) => [...cellsOf(index), score ?? "", threshold ?? "", statuses[index]]);
  const text = writeTable([[...header, "score", "threshold", "status"], ...rows], source.separator);
  saveFile(new Blob([text], { type: "text/csv;charset=utf-8" }), `${file.name.replace(/\.[^.]*$/, "")}-scored.csv`);
}
