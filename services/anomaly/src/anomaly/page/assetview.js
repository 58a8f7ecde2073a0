/** What stands beside the live trend: the asset's state now, and a table of its sensors. */

import { facts, formatNumber, h, mark, show, sparkline, table, time } from "../ui/script.js";
import { sharesOf } from "./shares.js";

const REASONS = {
  bad_quality: "the reading was marked as bad",
  out_of_range: "a value is outside its sensor's physical range",
  null_values: "too many values are missing",
  warming_up: "the window is not full yet",
};

/** The newest reading, the alarm, the drift of the score, and which sensors made it so. */
export function stateView(newest, state, alert) {
  const { alarm, drift } = state ?? {};
  const reason = newest?.reason && (REASONS[newest.reason] ?? newest.reason);
  const latestShares = newest?.contributions ?? state?.newest?.contributions;
  return [
    h("header", null, h("h2", null, "Now"), newest && mark(newest.status)),
    newest && latest(newest),
    reason && h("p", { class: "note" }, `Not judged: ${reason}.`),
    alarm && line("Alarm", alarmMark(alarm)),
    drift && line("Drift of the score", driftMark(drift.score)),
    sharesOf("Shares in the latest score", latestShares, 8) ??
      sharesOf("Shares in the peak of the alarm", alert?.contributions, 8),
  ];
}

function latest(reading) {
  return facts([
    ["Score", h("strong", null, formatNumber(reading.score))],
    ["Threshold", formatNumber(reading.threshold)],
    ["Time", time(reading.timestamp)],
    ["Model version", reading.model_version],
    ["Quality", reading.quality === "good" ? null : reading.quality],
  ]);
}

function line(name, content) {
  return h("div", { class: "line-item" }, h("span", { class: "label" }, name), h("span", null, content));
}

/** The alarm's phase; a normal one is no alarm. */
export function alarmMark({ state, since }) {
  if (state === "normal") return mark("normal", "none");
  return [mark(state), since && h("span", { class: "hint" }, " since ", time(since))];
}

function driftMark(drift) {
  if (!drift) return "–";
  const shift = Number.isFinite(drift.shift) && `${drift.shift < 0 ? "−" : "+"}${Math.abs(drift.shift).toFixed(2)} σ`;
  const title = "Shift in standard deviations of the training rows";
  return [mark(drift.state), shift && h("span", { class: "hint", title }, ` ${shift}`)];
}

function rangeOf({ low, high, unit }) {
  const [from, to] = [low, high].map((end) => (Number.isFinite(end) ? formatNumber(end) : "…"));
  return from === to ? "–" : `${from} to ${to}${unit ? ` ${unit}` : ""}`;
}

/** The table is made once and its cells are filled anew, so that it keeps its scroll position and focus. */
export class SensorTable {
  constructor(place, sensors) {
    this.rows = sensors.map((sensor) => ({ sensor, latest: h("span"), trend: h("span"), drift: h("span") }));
    const columns = [
      ["Sensor", (row) => row.sensor.name, "name"],
      ["Latest", (row) => row.latest, "num"],
      ["Trend", (row) => row.trend],
      ["Physical range", (row) => rangeOf(row.sensor)],
      ["Drift", (row) => row.drift],
    ];
    show(place, table("Sensors", columns, this.rows));
  }

  fill(readings, drift) {
    const drifts = new Map((drift?.input ?? []).map((item) => [item.sensor, item]));
    this.rows.forEach(({ sensor, ...cells }, index) => {
      const values = readings.valuesOf(index);
      show(cells.latest, formatNumber(values.at(-1)), sensor.unit && ` ${sensor.unit}`);
      show(cells.trend, values.length > 1 ? sparkline(values, `Trend of ${sensor.name}`) : "–");
      show(cells.drift, driftMark(drifts.get(sensor.name)));
    });
  }
}
