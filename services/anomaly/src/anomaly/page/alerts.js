/** Alerts: what stands, who has seen it, what came of it, and whether it was delivered. */

import { ProblemError, api, ask, bars, busy, empty, facts, formatDuration, formatNumber, formatPercent, guarded, h, loading, mark, plural, poll, problemBox, show, table, time } from "../ui/script.js";

const EVERY_MS = 5000;
const NAME = "lineside-operator"; // the name last given, so that it need not be typed for each alert
const KINDS = { anomaly: "Anomaly", input_drift: "Input drift", score_drift: "Score drift", silent: "Silent" };
const SHELVE = [["900", "15 minutes"], ["3600", "1 hour"], ["28800", "8 hours (a shift)"], ["86400", "1 day"]];

class Alerts {
  constructor(app) {
    this.app = app;
    this.list = document.querySelector("#alerts-list");
    this.message = document.querySelector("#alerts-message");
    this.details = document.querySelector("#alert-details");
    this.deliveries = document.querySelector("#deliveries-list");
    this.state = document.querySelector("#alerts-state");
    this.asset = document.querySelector("#alerts-asset");
    for (const select of [this.state, this.asset]) select.addEventListener("change", () => this.enter());
    document.querySelector("#deliveries-test").addEventListener("click", (event) => this.test(event.currentTarget));
  }

  enter() {
    this.leave();
    this.shown = null;
    this.fillAssets();
    this.stopAlerts = poll(() => this.refresh(), EVERY_MS);
    this.stopDeliveries = poll(() => this.refreshDeliveries(), EVERY_MS);
  }

  leave() {
    this.stopAlerts?.();
    this.stopDeliveries?.();
  }

  fillAssets() {
    const chosen = this.asset.value;
    show(this.asset, h("option", { value: "" }, "All assets"), this.app.assets.map((item) => h("option", { value: item.asset, selected: item.asset === chosen }, item.asset)));
  }

  /** Draws only what has changed: the focus stays where it is while the list is watched. */
  async refresh() {
    const query = new URLSearchParams({ state: this.state.value, limit: "100" });
    if (this.asset.value) query.set("asset", this.asset.value);
    if (!this.shown) show(this.list, loading());
    if (this.asset.length !== this.app.assets.length + 1) this.fillAssets();
    await guarded(this.list, async () => {
      const { items, next_cursor: more } = await api(`alerts?${query}`);
      const now = JSON.stringify(items);
      if (now === this.shown) return;
      this.shown = now;
      const focused = document.activeElement?.dataset?.focus;
      const nothing = this.state.value === "open" ? "No open alerts." : "No alerts.";
      show(this.list, items.length ? this.table(items) : empty(nothing), more && h("p", { class: "hint" }, "The newest 100 are shown."));
      if (focused) this.list.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    });
  }

  table(items) {
    return table("Alerts", [
      ["Severity", (alert) => mark(alert.severity)], ["Asset", (alert) => h("a", { href: `#live/${encodeURIComponent(alert.asset)}` }, alert.asset)], ["Kind", (alert) => KINDS[alert.kind] ?? alert.kind],
      ["State", (alert) => stateOf(alert)], ["Opened", (alert) => time(alert.opened_at)], ["Lasts", (alert) => formatDuration(((alert.cleared_at ? Date.parse(alert.cleared_at) : Date.now()) - Date.parse(alert.opened_at)) / 1000), "num"],
      ["Readings", (alert) => String(alert.count), "num"], ["Peak ÷ threshold", (alert) => (alert.threshold ? formatNumber(alert.peak_score / alert.threshold, 3) : "–"), "num"],
      ["", (alert) => this.actions(alert), "act"],
    ], items);
  }

  actions(alert) {
    const about = `alert ${alert.id} of ${alert.asset}`;
    const button = (text, action, kind = "small quiet") => h("button", { type: "button", class: kind, "aria-label": `${text} ${about}`, "data-focus": `${text}-${alert.id}`, onclick: action }, text);
    const open = alert.cleared_at === null;
    return h("div", { class: "actions" }, open && !alert.acknowledged && button("Acknowledge", () => this.acknowledge(alert), "small"), button("Details", () => this.showDetails(alert.id)),
      open && (alert.shelved_until ? button("Unshelve", () => this.unshelve(alert)) : button("Shelve", () => this.shelve(alert))), button("Feedback", () => this.feedback(alert)));
  }

  async post(alert, action, body, said) {
    localStorage.setItem(NAME, body.by);
    show(this.message);
    try {
      await api(`alerts/${encodeURIComponent(alert.id)}/${action}`, { method: "POST", json: body });
      show(this.message, h("p", { class: "done" }, said));
      this.message.focus({ preventScroll: true });
      await this.refresh();
      if (!this.details.hidden) await this.showDetails(this.detailsOf);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  async acknowledge(alert) {
    const body = await ask({ title: `Acknowledge: ${alert.asset}`, text: "Says that somebody has seen it and takes care of it.", action: "Acknowledge", fields: person() });
    if (body) await this.post(alert, "acknowledge", body, `Acknowledged: alert ${alert.id} of ${alert.asset}.`);
  }

  async shelve(alert) {
    const body = await ask({ title: `Shelve: ${alert.asset}`, text: "No messages are sent for it until the time is over.", action: "Shelve", fields: [{ name: "seconds", label: "For", options: SHELVE }, ...person()] });
    if (body) await this.post(alert, "shelve", { ...body, seconds: Number(body.seconds) }, `Shelved: alert ${alert.id} of ${alert.asset}.`);
  }

  async unshelve(alert) {
    const body = await ask({ title: `Unshelve: ${alert.asset}`, action: "Unshelve", fields: person() });
    if (body) await this.post(alert, "unshelve", body, `Back in view: alert ${alert.id} of ${alert.asset}.`);
  }

  async feedback(alert) {
    const verdicts = [["true_alarm", "True alarm: something was wrong"], ["false_alarm", "False alarm: the machine was fine"]];
    const body = await ask({ title: `Feedback: ${alert.asset}`, text: "Recalibration leaves out rows of true alarms and takes in those of false ones.", action: "Save", fields: [{ name: "verdict", label: "What was it?", options: verdicts }, ...person()] });
    if (body) await this.post(alert, "feedback", body, `Noted: alert ${alert.id} of ${alert.asset}.`);
  }

  async showDetails(id) {
    this.detailsOf = id;
    this.details.hidden = false;
    await guarded(this.details, async () => {
      const alert = await api(`alerts/${encodeURIComponent(id)}`);
      show(this.details, h("header", null, h("h2", null, `Alert ${alert.id}: ${alert.asset}`), h("button", { type: "button", class: "small", onclick: () => { this.details.hidden = true; } }, "Close")), h("div", { class: "stack" }, detailFacts(alert), shares(alert)));
    });
    this.details.focus({ preventScroll: true });
    this.details.scrollIntoView({ block: "nearest" });
  }

  async refreshDeliveries() {
    await guarded(this.deliveries, async () => {
      const { items } = await api("alerts/deliveries?limit=20");
      const now = JSON.stringify(items);
      if (now === this.delivered && this.deliveries.querySelector("table, .empty")) return;
      this.delivered = now;
      show(this.deliveries, items.length ? this.deliveryTable(items) : empty("Nothing was sent yet. Receivers (webhooks, mail) are set by the service's settings."));
    });
  }

  deliveryTable(items) {
    return table("Deliveries", [
      ["Receiver", (item) => item.receiver, "wrap"], ["Alert", (item) => (item.alert_id ? `${item.alert_id} ${item.notice}` : item.notice)], ["Status", (item) => mark(item.status)], ["Attempts", (item) => String(item.attempts), "num"],
      ["Next or done", (item) => time(item.delivered_at ?? item.next_attempt_at)], ["Last error", (item) => item.last_error ?? "", "wrap"],
      ["", (item) => item.status === "failed" && h("button", { type: "button", class: "small", "aria-label": `Retry delivery ${item.id}`, onclick: (event) => this.retry(event.currentTarget, item) }, "Retry"), "act"],
    ], items);
  }

  async retry(button, item) {
    const place = document.querySelector("#deliveries-message");
    await busy(button, () => guarded(place, async () => {
      await api(`alerts/deliveries/${encodeURIComponent(item.id)}/retry`, { method: "POST" });
      show(place, h("p", { class: "done" }, `Delivery ${item.id} is tried again.`));
      await this.refreshDeliveries();
    }));
  }

  async test(button) {
    const place = document.querySelector("#deliveries-message");
    await busy(button, () => guarded(place, async () => {
      const answer = await api("alerts/test", { method: "POST" });
      const count = answer?.deliveries?.length;
      show(place, h("p", { class: "done" }, count === undefined ? "A test alert is on its way to every receiver." : `A test alert is on its way to ${plural(count, "receiver")}.`));
      await this.refreshDeliveries();
    }));
  }
}

const person = () => [
  { name: "by", label: "Your name", required: true, maxlength: 128, value: localStorage.getItem(NAME) ?? "", autocomplete: "name" },
  { name: "note", label: "Note", rows: 3, maxlength: 1000 },
];

function stateOf(alert) {
  const seen = alert.acknowledged ? h("span", { class: "hint" }, ` by ${alert.acknowledged.by}`) : null;
  return [mark(alert.state), seen];
}

function detailFacts(alert) {
  const { acknowledged, feedback } = alert;
  return facts([["State", stateOf(alert)], ["Severity", mark(alert.severity)], ["Kind", KINDS[alert.kind] ?? alert.kind], ["Opened", time(alert.opened_at)], ["Last change", time(alert.updated_at)],
    ["Cleared", alert.cleared_at && time(alert.cleared_at)], ["Shelved until", alert.shelved_until && time(alert.shelved_until)], ["Readings", String(alert.count)], ["Peak", formatNumber(alert.peak_score)],
    ["Latest", formatNumber(alert.last_score)], ["Threshold", formatNumber(alert.threshold)], ["Model version", alert.model_version === null ? null : String(alert.model_version)],
    ["Acknowledged", acknowledged && [`${acknowledged.by}, `, time(acknowledged.at)]], ["Note", acknowledged?.note || null],
    ["Feedback", feedback && `${(feedback.verdict ?? feedback).replaceAll("_", " ")}${feedback.by ? ` (${feedback.by})` : ""}`], ["Feedback's note", feedback?.note || null]]);
}

function shares(alert) {
  if (!alert.contributions?.length) return null;
  const most = [...alert.contributions].sort((a, b) => b.contribution - a.contribution).slice(0, 12);
  return h("div", null, h("h3", { class: "below" }, alert.kind === "input_drift" ? "Shares in the drift" : "Shares in the peak"), bars(most.map((item) => ({ name: item.sensor, share: item.contribution, text: formatPercent(item.contribution) })), "Shares of the sensors"));
}

export const mountAlerts = (app) => new Alerts(app);
