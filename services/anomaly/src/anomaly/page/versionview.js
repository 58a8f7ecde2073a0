/** Everything about one version of a model. */

import { facts, formatNumber, h, table } from "../ui/script.js";
import { reportView } from "./report.js";

export function versionView(version) {
  return h(
    "div",
    { class: "stack" },
    facts([
      ["Kind", version.kind],
      ["Window", String(version.window)],
      ["Threshold", formatNumber(version.threshold)],
      ["Origin", version.origin],
      ["Parent", version.parent],
    ]),
    h("p", { class: "hint" }, "sha256 ", h("code", null, version.sha256)),
    sensorTable(version.sensors),
    h("h3", null, "Report"),
    reportView(version.report),
  );
}

function sensorTable(sensors) {
  const columns = [
    ["Sensor", (sensor) => sensor.name, "name"],
    ["Unit", (sensor) => sensor.unit ?? ""],
    ["Lowest", (sensor) => formatNumber(sensor.low), "num"],
    ["Highest", (sensor) => formatNumber(sensor.high), "num"],
  ];
  return table("Sensors of the model", columns, sensors);
}
