/** Live: one asset's readings as they come, after its history; its state, its alarm, its drift. */

import {
  ProblemError, api, bars, copyable, curlLine, download, empty, facts, formatClock, formatDay, formatNumber, formatPercent, guarded, h, loading, mark, openStream, poll, problemBox,
  show, sparkline, table, time, timeTicks, trendChart,
} from "../ui/script.js";
import { activeVersion, assetPath } from "./versions.js";

const STATE_EVERY_MS = 5000;
const GAP = 10; // steps of the usual length after which the line is broken

/** Readings by time, newest last, each time once, at most `most`. */
export class Readings {
  constructor(most) {
    this.most = most;
    this.items = [];
  }

  add(reading) {
    reading.at = Date.parse(reading.timestamp);
    let place = this.items.length;
    while (place > 0 && this.items[place - 1].at > reading.at) place -= 1;
    if (this.items[place - 1]?.at === reading.at) this.items[place - 1] = reading;
    else this.items.splice(place, 0, reading);
    if (this.items.length > this.most) this.items.splice(0, this.items.length - this.most);
  }

  get newest() {
    return this.items.at(-1) ?? null;
  }
}

class Live {
  constructor(app) {
    this.app = app;
    this.paused = false;
    this.message = document.querySelector("#live-message");
    this.rows = document.querySelector("#live-rows");
    this.log = document.querySelector("#live-log");
    this.chart = trendChart(document.querySelector("#live-chart"), {
      label: "Score over time", height: 300, gapFactor: GAP, xTicks: timeTicks, xFormat: (x) => clock(x, this.readings?.items),
    });
    this.rows.addEventListener("change", () => this.enter());
    this.log.addEventListener("change", () => this.draw());
    const pause = document.querySelector("#live-pause");
    pause.addEventListener("click", () => {
      this.paused = !this.paused;
      pause.setAttribute("aria-pressed", String(this.paused));
      show(pause, this.paused ? "Go on" : "Pause");
      if (!this.paused) this.draw();
    });
    document.querySelector("#live-export").addEventListener("submit", (event) => this.export(event));
  }

  leave() {
    this.stream?.stop();
    this.stopPolling?.();
    this.stream = this.stopPolling = null;
    this.turn = (this.turn ?? 0) + 1;
  }

  async enter() {
    this.leave();
    const { turn } = this;
    this.asset = this.app.asset;
    this.readings = new Readings(Number(this.rows.value));
    this.state = this.version = this.alert = null;
    this.cells = null;
    for (const place of ["#live-state", "#live-sensors"]) show(document.querySelector(place), loading());
    this.chart.draw([]);
    show(this.message, loading(`Loading ${this.asset}…`));
    await guarded(this.message, async () => {
      const [version, state] = await Promise.all([activeVersion(this.asset), api(assetPath(this.asset))]);
      if (turn !== this.turn) return;
      Object.assign(this, { version, state });
      await this.load(turn);
    });
  }

  /** The stream is opened before the history is asked for, so that no reading falls between them. */
  async load(turn) {
    this.stream = openStream(`${assetPath(this.asset)}/stream`, { onEvent: (event) => this.receive(event), onState: (state, detail) => this.connection(state, detail) });
    let cursor = null;
    do {
      const wanted = Math.min(500, this.readings.most - this.readings.items.length);
      const page = await api(`${assetPath(this.asset)}/history?limit=${wanted}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      if (turn !== this.turn) return;
      page.items.forEach((reading) => this.readings.add(reading));
      cursor = page.next_cursor;
    } while (cursor && this.readings.items.length < this.readings.most);
    show(this.message);
    this.draw();
    this.stopPolling = poll(() => this.refreshState(turn), STATE_EVERY_MS);
  }

  async refreshState(turn) {
    const state = await api(assetPath(this.asset));
    if (turn !== this.turn) return;
    if (state.active_version !== this.state?.active_version) this.version = await activeVersion(this.asset);
    this.state = state;
    this.alert = OPEN.has(state.alarm?.state) ? await openAlert(this.asset) : null;
    if (turn === this.turn && !this.paused) this.drawState();
  }

  receive(event) {
    if (event.type === "reading") {
      this.readings.add(JSON.parse(event.data));
      if (this.paused || this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        this.draw();
      });
    } else if (event.type === "alert") {
      this.refreshState(this.turn).catch((error) => { if (!(error instanceof ProblemError)) throw error; });
    }
  }

  connection(state, detail) {
    const place = document.querySelector("#live-connection");
    const said = { connecting: ["pending", "connecting"], connected: ["connected", "live"], waiting: ["warning", `connection lost, again in ${detail} s`], stopped: ["failed", "not connected"] }[state];
    show(place, mark(...said));
    if (state === "stopped") show(this.message, problemBox(detail, () => this.enter()));
  }

  draw() {
    const { items } = this.readings;
    if (!items.length) show(this.message, this.firstSteps());
    else if (this.message.querySelector(".empty")) show(this.message);
    this.chart.draw(items.map(toPoint), { logarithmic: this.log.checked });
    this.drawState();
    this.drawSensors();
  }

  firstSteps() {
    const values = (this.version?.sensors ?? [1, 1, 1]).map(() => 1);
    return h("div", { class: "card stack empty" }, h("p", null, this.version ? "No readings yet. Post one, and it appears here at once:" : "This asset has no active model yet: train or upload one, then post readings:"),
      copyable(curlLine("POST", assetPath(this.asset), { values }), "the curl command"));
  }

  drawState() {
    const newest = this.readings.newest;
    const { alarm, drift } = this.state ?? {};
    const place = document.querySelector("#live-state");
    const parts = [h("header", null, h("h2", null, "Now"), newest && mark(newest.status))];
    if (newest) parts.push(latest(newest));
    if (newest?.reason) parts.push(h("p", { class: "note" }, `Not judged: ${REASONS[newest.reason] ?? newest.reason}.`));
    if (alarm) parts.push(section("Alarm", mark(alarm.state, ALARMS[alarm.state] ?? alarm.state), alarm.since && h("span", { class: "hint" }, " since ", time(alarm.since))));
    if (drift) parts.push(section("Drift of the score", driftMark(drift.score)));
    const latestShares = newest?.contributions ?? this.state?.newest?.contributions;
    parts.push(shares("Shares in the latest score", latestShares) ?? shares("Shares in the peak of the alarm", this.alert?.contributions));
    show(place, parts);
  }

  drawSensors() {
    const place = document.querySelector("#live-sensors");
    const sensors = this.version?.sensors;
    if (!sensors) return show(place, empty("The sensors are known once the asset has an active model."));
    if (this.cells?.sensors !== sensors) this.buildSensors(place, sensors);
    const drift = new Map((this.state?.drift?.input ?? []).map((item) => [item.sensor, item]));
    const items = this.readings.items.slice(-120);
    const { newest } = this.readings;
    sensors.forEach(({ name, unit }, index) => {
      const cell = this.cells.rows[index];
      show(cell.latest, `${formatNumber(newest?.values?.[index])}${unit ? ` ${unit}` : ""}`);
      show(cell.trend, items.length > 1 ? sparkline(items.map((item) => item.values?.[index] ?? null), `Trend of ${name}`) : "–");
      show(cell.drift, driftMark(drift.get(name)));
    });
    return place;
  }

  /** The table is made once and its cells are filled anew, so that it keeps its scroll position and focus. */
  buildSensors(place, sensors) {
    const rows = sensors.map((sensor) => ({ sensor, latest: h("span"), trend: h("span"), drift: h("span") }));
    this.cells = { sensors, rows };
    show(place, table("Sensors", [["Sensor", (row) => row.sensor.name, "name"], ["Latest", (row) => row.latest, "num"], ["Trend", (row) => row.trend],
      ["Physical range", (row) => range(row.sensor)], ["Drift", (row) => row.drift]], rows));
  }

  async export(event) {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const name of ["from", "to"]) {
      const value = document.querySelector(`#export-${name}`).value;
      if (value) query.set(name, new Date(value).toISOString());
    }
    const place = document.querySelector("#live-export-message");
    show(place);
    await guarded(place, () => download(`${assetPath(this.asset)}/history?${query}`, `${this.asset}-history.csv`, { Accept: "text/csv" }));
  }
}

const REASONS = { bad_quality: "the reading was marked as bad", out_of_range: "a value is outside its sensor's physical range", null_values: "too many values are missing", warming_up: "the window is not full yet" };
const ALARMS = { normal: "none", pending: "pending", active: "active", clearing: "clearing", latched: "latched" };

function toPoint(reading) {
  const score = reading.score === null ? `not judged${reading.reason ? ` (${reading.reason})` : ""}` : `score ${formatNumber(reading.score)}`;
  return { x: reading.at, y: reading.score, threshold: reading.threshold, status: reading.status, text: `${formatDay(new Date(reading.at))} ${formatClock(new Date(reading.at))}: ${score}, ${reading.status}` };
}

/** The day is written where the readings span more than one. */
function clock(x, items) {
  const date = new Date(x);
  const many = items?.length && items.at(-1).at - items[0].at > 86400000;
  return many ? `${formatDay(date).slice(5)} ${formatClock(date).slice(0, 5)}` : formatClock(date);
}

function latest(reading) {
  return facts([["Score", h("strong", null, formatNumber(reading.score))], ["Threshold", formatNumber(reading.threshold)], ["Time", time(reading.timestamp)],
    ["Model version", String(reading.model_version ?? "–")], ["Quality", reading.quality === "good" ? null : reading.quality]]);
}

const OPEN = new Set(["active", "clearing", "latched"]);

async function openAlert(asset) {
  const { items } = await api(`alerts?state=open&kind=anomaly&limit=1&asset=${encodeURIComponent(asset)}`);
  return items[0] ?? null;
}

function shares(title, contributions) {
  if (!contributions?.length) return null;
  const most = [...contributions].sort((a, b) => b.contribution - a.contribution).slice(0, 8);
  return h("div", null, h("h3", { class: "below" }, title), bars(most.map((item) => ({ name: item.sensor, share: item.contribution, text: formatPercent(item.contribution) })), title));
}

const section = (name, ...content) => h("div", { class: "line-item" }, h("span", { class: "label" }, name), h("span", null, content));

function driftMark(drift) {
  if (!drift) return "–";
  const shift = Number.isFinite(drift.shift) ? ` ${drift.shift > 0 ? "+" : ""}${formatNumber(drift.shift, 2)} σ` : "";
  return [mark(drift.state), h("span", { class: "hint", title: "Shift in standard deviations of the training rows" }, shift)];
}

function range({ low, high, unit }) {
  if (!Number.isFinite(low) && !Number.isFinite(high)) return "–";
  const from = Number.isFinite(low) ? formatNumber(low) : "…";
  return `${from} to ${Number.isFinite(high) ? formatNumber(high) : "…"}${unit ? ` ${unit}` : ""}`;
}

export const mountLive = (app) => new Live(app);
