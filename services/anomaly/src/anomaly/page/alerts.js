/** Alerts: what stands, who has seen it, and what came of it. */

import {
  ProblemError,
  api,
  ask,
  button,
  empty,
  guarded,
  h,
  loading,
  mark,
  poll,
  problemBox,
  show,
  table,
  time,
} from "../ui/script.js";
import { alertView, kindOf, lengthOf, ratioOf, stateOf } from "./alertview.js";
import { Deliveries } from "./deliveries.js";

const EVERY_MS = 5000;
const MOST = 100;
const NAME = "lineside-operator"; // the name last given, so that it need not be typed for each alert
const SHELVE = [
  ["900", "15 minutes"],
  ["3600", "1 hour"],
  ["28800", "8 hours (a shift)"],
  ["86400", "1 day"],
];
const VERDICTS = [
  ["true_alarm", "True alarm: something was wrong"],
  ["false_alarm", "False alarm: the machine was fine"],
];

class Alerts {
  constructor(app) {
    this.app = app;
    this.list = document.querySelector("#alerts-list");
    this.message = document.querySelector("#alerts-message");
    this.details = document.querySelector("#alert-details");
    this.state = document.querySelector("#alerts-state");
    this.asset = document.querySelector("#alerts-asset");
    this.deliveries = new Deliveries();
    for (const select of [this.state, this.asset]) select.addEventListener("change", () => this.enter());
  }

  enter() {
    this.leave();
    this.shown = null;
    this.fillAssets();
    this.stop = poll(() => this.refresh(), EVERY_MS);
    this.deliveries.enter();
  }

  leave() {
    this.stop?.();
    this.deliveries.leave();
  }

  fillAssets() {
    const chosen = this.asset.value;
    const option = ({ asset }) => h("option", { value: asset, selected: asset === chosen }, asset);
    show(this.asset, h("option", { value: "" }, "All assets"), this.app.assets.map(option));
  }

  async refresh() {
    const query = new URLSearchParams({ state: this.state.value, limit: String(MOST) });
    if (this.asset.value) query.set("asset", this.asset.value);
    if (!this.shown) show(this.list, loading());
    if (this.asset.length !== this.app.assets.length + 1) this.fillAssets();
    await guarded(this.list, async () => this.draw(await api(`alerts?${query}`)));
  }

  /** Draws only what has changed, and puts the focus back: the list is watched while it is worked on. */
  draw({ items, next_cursor: more }) {
    const now = JSON.stringify(items);
    if (now === this.shown) return;
    this.shown = now;
    const focused = document.activeElement?.getAttribute("aria-label");
    const nothing = this.state.value === "open" ? "No open alerts." : "No alerts.";
    const rest = more && h("p", { class: "hint" }, `The newest ${MOST} are shown.`);
    show(this.list, items.length ? this.table(items) : empty(nothing), rest);
    if (focused) this.list.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }

  table(items) {
    const columns = [
      ["Severity", (alert) => mark(alert.severity)],
      ["Asset", (alert) => h("a", { href: `#live/${encodeURIComponent(alert.asset)}` }, alert.asset)],
      ["Kind", kindOf],
      ["State", stateOf],
      ["Opened", (alert) => time(alert.opened_at)],
      ["Lasts", lengthOf, "num"],
      ["Readings", (alert) => String(alert.count), "num"],
      ["Peak ÷ threshold", ratioOf, "num"],
      ["", (alert) => this.actions(alert), "act"],
    ];
    return table("Alerts", columns, items);
  }

  actions(alert) {
    const action = (text, run, kind = "small quiet") =>
      button(text, run, kind, `${text} alert ${alert.id} of ${alert.asset}`);
    const open = alert.cleared_at === null;
    return h(
      "div",
      { class: "actions" },
      open && !alert.acknowledged && action("Acknowledge", () => this.acknowledge(alert), "small"),
      action("Details", () => this.showDetails(alert.id)),
      open && !alert.shelved_until && action("Shelve", () => this.shelve(alert)),
      open && alert.shelved_until && action("Unshelve", () => this.unshelve(alert)),
      action("Feedback", () => this.feedback(alert)),
    );
  }

  async post(alert, action, body, said) {
    localStorage.setItem(NAME, body.by);
    show(this.message);
    try {
      await api(`alerts/${encodeURIComponent(alert.id)}/${action}`, { method: "POST", json: body });
      show(this.message, h("p", { class: "done" }, `${said}: alert ${alert.id} of ${alert.asset}.`));
      this.message.focus({ preventScroll: true });
      await this.refresh();
      if (!this.details.hidden) await this.showDetails(this.detailsOf);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  async acknowledge(alert) {
    const text = "Says that somebody has seen it and takes care of it.";
    const body = await ask({ title: `Acknowledge: ${alert.asset}`, text, action: "Acknowledge", fields: person() });
    if (body) await this.post(alert, "acknowledge", body, "Acknowledged");
  }

  async shelve(alert) {
    const text = "No messages are sent for it until the time is over.";
    const fields = [{ name: "seconds", label: "For", options: SHELVE }, ...person()];
    const body = await ask({ title: `Shelve: ${alert.asset}`, text, action: "Shelve", fields });
    if (body) await this.post(alert, "shelve", { ...body, seconds: Number(body.seconds) }, "Shelved");
  }

  async unshelve(alert) {
    const body = await ask({ title: `Unshelve: ${alert.asset}`, action: "Unshelve", fields: person() });
    if (body) await this.post(alert, "unshelve", body, "Back in view");
  }

  async feedback(alert) {
    const text = "Recalibration leaves out rows of true alarms and takes in those of false ones.";
    const fields = [{ name: "verdict", label: "What was it?", options: VERDICTS }, ...person()];
    const body = await ask({ title: `Feedback: ${alert.asset}`, text, action: "Save", fields });
    if (body) await this.post(alert, "feedback", body, "Noted");
  }

  async showDetails(id) {
    this.detailsOf = id;
    this.details.hidden = false;
    await guarded(this.details, async () => {
      const alert = await api(`alerts/${encodeURIComponent(id)}`);
      const close = button("Close", () => (this.details.hidden = true), "small");
      show(
        this.details,
        h("header", null, h("h2", null, `Alert ${alert.id}: ${alert.asset}`), close),
        alertView(alert),
      );
    });
    this.details.focus({ preventScroll: true });
    this.details.scrollIntoView({ block: "nearest" });
  }
}

function person() {
  const name = localStorage.getItem(NAME) ?? "";
  return [
    { name: "by", label: "Your name", required: true, maxlength: 128, value: name, autocomplete: "name" },
    { name: "note", label: "Note", rows: 3, maxlength: 1000 },
  ];
}

export const mountAlerts = (app) => new Alerts(app);
