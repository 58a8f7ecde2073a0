/** How an alert is shown: its state, its facts, and the sensors that made it. */

import { facts, formatDuration, formatNumber, h, mark, time } from "../ui/script.js";
import { sharesOf } from "./shares.js";

const KINDS = { anomaly: "Anomaly", input_drift: "Input drift", score_drift: "Score drift", silent: "Silent" };

export const kindOf = (alert) => KINDS[alert.kind] ?? alert.kind;

export const ratioOf = (alert) => (alert.threshold ? formatNumber(alert.peak_score / alert.threshold, 3) : "–");

/** How long it lasted, or lasts by now. */
export function lengthOf(alert) {
  const end = alert.cleared_at ? Date.parse(alert.cleared_at) : Date.now();
  return formatDuration((end - Date.parse(alert.opened_at)) / 1000);
}

export function stateOf(alert) {
  const seen = alert.acknowledged ? h("span", { class: "hint" }, ` by ${alert.acknowledged.by}`) : null;
  return [mark(alert.state), seen];
}

/** Everything about an alert. */
export function alertView(alert) {
  const { acknowledged, feedback } = alert;
  const title = alert.kind === "input_drift" ? "Shares in the drift" : "Shares in the peak";
  return h(
    "div",
    { class: "stack" },
    facts([
      ["State", stateOf(alert)],
      ["Severity", mark(alert.severity)],
      ["Kind", kindOf(alert)],
      ["Opened", time(alert.opened_at)],
      ["Last change", time(alert.updated_at)],
      ["Cleared", alert.cleared_at && time(alert.cleared_at)],
      ["Shelved until", alert.shelved_until && time(alert.shelved_until)],
      ["Readings", String(alert.count)],
      ["Peak", formatNumber(alert.peak_score)],
      ["Latest", formatNumber(alert.last_score)],
      ["Threshold", formatNumber(alert.threshold)],
      ["Model version", alert.model_version],
      ["Acknowledged", acknowledged && [`${acknowledged.by}, `, time(acknowledged.at)]],
      ["Note", acknowledged?.note || null],
      ["Feedback", feedback && `${feedback.verdict.replaceAll("_", " ")} (${feedback.by})`],
      ["Note on it", feedback?.note || null],
    ]),
    sharesOf(title, alert.contributions),
  );
}
