/** CSV: a file of rows, scored in one call, shown as a plot with its worst rows. */

import { ProblemError, announce, api, dropZone, facts, formatNumber, formatPercent, h, loading, mark, plural, problemBox, saveFile, show, table, trendChart } from "../ui/script.js";
import { readTable, writeTable } from "./table.js";
import { toNumber } from "./values.js";
import { activeVersion } from "./versions.js";

const WORST = 15;
const SHOWN_COLUMNS = 8;

export function mountCsv(app) {
  const place = document.querySelector("#csv-result");
  let latest = 0;
  dropZone(document.querySelector("#csv-drop"), async (file) => {
    latest += 1;
    const mine = latest;
    show(place, loading(`Scoring ${file.name}…`));
    try {
      const [text, answer, version] = await Promise.all([
        file.text(), api("batch", { method: "POST", body: file, headers: { "Content-Type": "text/csv" } }), activeVersion("default"),
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
      const named = sensors && ` The model takes ${plural(sensors.length, "sensor")}: ${sensors.map((sensor) => sensor.name).slice(0, 12).join(", ")}${sensors.length > 12 ? ", …" : ""}.`;
      show(document.querySelector("#csv-hint"), "One row a line, one column a sensor. A header and a timestamp column are recognised; so are semicolons and tabs.", named);
    },
  };
}

function showResult(place, app, { file, text, answer, version }) {
  const source = readTable(text);
  const { scores, statuses } = answer;
  const threshold = version?.threshold ?? null;
  const rowOf = source.rows.length === scores.length ? (index) => source.rows[index] : (index) => ({ line: index + 1, cells: [] });
  const chartPlace = h("div");
  const log = h("input", { type: "checkbox" });
  const download = h("button", { type: "button", onclick: () => saveResult(file, source, answer, threshold) }, "Download the result as CSV");
  show(place,
    h("div", { class: "card" }, h("header", null, h("h2", null, file.name), download), summary(answer, threshold, version)),
    h("div", { class: "card" }, h("header", null, h("h2", null, "Score of each row"), h("label", { class: "check" }, log, "Log scale")), chartPlace),
    h("div", { class: "card" }, h("header", null, h("h2", null, "Worst rows")), worst(app, source, answer, threshold, rowOf, version?.sensors.length)));
  const chart = trendChart(chartPlace, { label: `Scores of ${file.name}`, height: 300, xFormat: (x) => String(Math.round(x)) });
  const points = scores.map((score, index) => ({
    x: index + 1, y: score, threshold, status: statuses[index],
    text: `Row ${index + 1} (line ${rowOf(index).line}): ${score === null ? "not judged" : `score ${formatNumber(score)}`}, ${statuses[index]}`,
  }));
  log.checked = threshold !== null && Math.max(...scores.map((score) => score ?? 0)) > 30 * threshold;
  const draw = () => chart.draw(points, { logarithmic: log.checked });
  log.addEventListener("change", draw);
  draw();
  announce(`${plural(statuses.length, "row")} scored, ${plural(statuses.filter((status) => status === "anomaly").length, "anomaly", "anomalies")}`);
}

function summary({ scores, statuses }, threshold, version) {
  const count = (status) => statuses.filter((candidate) => candidate === status).length;
  const highest = Math.max(...scores.filter((score) => score !== null));
  const of = (status) => `${count(status).toLocaleString("en")} (${formatPercent(count(status) / Math.max(1, statuses.length))})`;
  return facts([["Rows", statuses.length.toLocaleString("en")], ["Normal", of("normal")], ["Anomalies", h("strong", null, of("anomaly"))],
    ["Unknown", count("unknown") ? of("unknown") : "0"], ["Highest score", formatNumber(highest)], ["Threshold", formatNumber(threshold)],
    ["Model", version ? `${version.kind}, version ${version.version}` : null]]);
}

function worst(app, source, { scores, statuses }, threshold, rowOf, sensors) {
  const order = scores.map((score, index) => index).filter((index) => scores[index] !== null).sort((a, b) => scores[b] - scores[a]).slice(0, WORST);
  if (!order.length) return h("p", { class: "empty" }, "No row could be judged.");
  const width = Math.max(...order.map((index) => rowOf(index).cells.length));
  const columns = Array.from({ length: Math.min(width, SHOWN_COLUMNS) }, (_, column) => [source.header?.[column] ?? `column ${column + 1}`, (index) => rowOf(index).cells[column] ?? "", "num"]);
  const rest = width > SHOWN_COLUMNS ? [[`+ ${width - SHOWN_COLUMNS} more`, () => "…"]] : [];
  return table("Worst rows", [
    ["Line", (index) => String(rowOf(index).line), "num"], ["Score", (index) => formatNumber(scores[index]), "num"],
    ["÷ threshold", (index) => (threshold ? formatNumber(scores[index] / threshold, 3) : "–"), "num"], ["Status", (index) => mark(statuses[index])],
    ...columns, ...rest, ["", (index) => explain(app, rowOf(index), sensors), "act"],
  ], order);
}

/** Opens the row under Score, where its sensors' shares are shown; only where its numbers are exactly the sensors' values. */
function explain(app, row, width) {
  const values = row.cells.map((cell) => toNumber(cell)).filter((value) => !Number.isNaN(value));
  if (values.length !== width) return "";
  return h("button", { type: "button", class: "small quiet", "aria-label": `Explain line ${row.line}`, onclick: () => {
    app.values = values;
    app.navigate("score");
  } }, "Explain");
}

function saveResult(file, source, { scores, statuses }, threshold) {
  const same = source.rows.length === scores.length;
  const header = same ? source.header ?? source.rows[0]?.cells.map((_, index) => `column_${index + 1}`) ?? [] : ["row"];
  const rows = scores.map((score, index) => [...(same ? source.rows[index].cells : [String(index + 1)]), score ?? "", threshold ?? "", statuses[index]]);
  const text = writeTable([[...header, "score", "threshold", "status"], ...rows], source.separator);
  saveFile(new Blob([text], { type: "text/csv;charset=utf-8" }), `${file.name.replace(/\.[^.]*$/, "")}-scored.csv`);
}
