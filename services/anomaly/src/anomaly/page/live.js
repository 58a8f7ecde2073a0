/** Live: one asset's readings as they come, after its history. */

import {
  ProblemError,
  api,
  copyable,
  curlLine,
  download,
  empty,
  guarded,
  h,
  loading,
  mark,
  openStream,
  poll,
  problemBox,
  show,
  timeTicks,
  trendChart,
} from "../ui/script.js";
import { SensorTable, stateView } from "./assetview.js";
import { Readings } from "./readings.js";
import { activeVersion, assetPath } from "./versions.js";

const STATE_EVERY_MS = 5000;
const PAGE = 500; // readings asked for at once
const GAP = 10; // steps of the usual length after which the line is broken
const STANDING = new Set(["active", "clearing", "latched"]);

class Live {
  constructor(app) {
    this.app = app;
    this.turn = 0; // counts what was opened: an answer for an earlier one is dropped
    this.readings = new Readings(0);
    this.message = document.querySelector("#live-message");
    this.rows = document.querySelector("#live-rows");
    this.log = document.querySelector("#live-log");
    this.pause = document.querySelector("#live-pause");
    const xFormat = (at) => this.readings.clock(at);
    const options = { label: "Score over time", height: 300, gapFactor: GAP, xTicks: timeTicks, xFormat };
    this.chart = trendChart(document.querySelector("#live-chart"), options);
    this.rows.addEventListener("change", () => this.enter());
    this.log.addEventListener("change", () => this.draw());
    this.pause.addEventListener("click", () => this.togglePause());
    document.querySelector("#live-export").addEventListener("submit", (event) => this.export(event));
  }

  get paused() {
    return this.pause.getAttribute("aria-pressed") === "true";
  }

  togglePause() {
    const paused = !this.paused;
    this.pause.setAttribute("aria-pressed", String(paused));
    show(this.pause, paused ? "Go on" : "Pause");
    if (!paused) this.draw();
  }

  leave() {
    this.stream?.stop();
    this.stopPolling?.();
    this.stream = this.stopPolling = null;
    this.turn += 1;
  }

  async enter() {
    this.leave();
    const { turn } = this;
    this.asset = this.app.asset;
    this.readings = new Readings(Number(this.rows.value));
    this.state = this.version = this.alert = this.sensors = null;
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
    this.stream = openStream(`${assetPath(this.asset)}/stream`, {
      onEvent: (event) => this.receive(event),
      onState: (state, detail) => this.connection(state, detail),
    });
    let cursor = null;
    do {
      const query = new URLSearchParams({ limit: Math.min(PAGE, this.readings.most) });
      if (cursor) query.set("cursor", cursor);
      const page = await api(`${assetPath(this.asset)}/history?${query}`);
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
    const alert = STANDING.has(state.alarm.state) ? await openAlert(this.asset) : null;
    const changed = state.active_version !== this.state?.active_version;
    const version = changed ? await activeVersion(this.asset) : this.version;
    if (turn !== this.turn) return;
    Object.assign(this, { state, alert, version });
    if (!this.paused) this.drawState();
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
      this.refreshState(this.turn).catch((error) => {
        if (!(error instanceof ProblemError)) throw error;
      });
    }
  }

  connection(state, detail) {
    const said = {
      connecting: ["pending", "connecting"],
      connected: ["connected", "live"],
      waiting: ["warning", `connection lost, again in ${detail} s`],
      stopped: ["failed", "not connected"],
    }[state];
    show(document.querySelector("#live-connection"), mark(...said));
    const retry = () => this.enter();
    if (state === "stopped") show(this.message, problemBox(detail, retry));
  }

  draw() {
    if (!this.readings.newest) show(this.message, this.firstSteps());
    else if (this.message.querySelector(".empty")) show(this.message);
    this.chart.draw(this.readings.points(), { logarithmic: this.log.checked });
    this.drawState();
  }

  drawState() {
    show(document.querySelector("#live-state"), stateView(this.readings.newest, this.state, this.alert));
    const place = document.querySelector("#live-sensors");
    if (!this.version) {
      show(place, empty("The sensors are known once the asset has an active model."));
      return;
    }
    if (this.sensors?.version !== this.version) {
      this.sensors = { version: this.version, table: new SensorTable(place, this.version.sensors) };
    }
    this.sensors.table.fill(this.readings, this.state?.drift);
  }

  firstSteps() {
    const values = (this.version?.sensors ?? [1, 1, 1]).map(() => 1);
    const text = this.version
      ? "No readings yet. Post one, and it appears here at once:"
      : "This asset has no active model yet: train or upload one, then post readings:";
    const line = curlLine("POST", assetPath(this.asset), { values });
    return h("div", { class: "card stack empty" }, h("p", null, text), copyable(line, "the curl command"));
  }

  async export(event) {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const name of ["from", "to"]) {
      const { value } = document.querySelector(`#export-${name}`);
      if (value) query.set(name, new Date(value).toISOString());
    }
    const place = document.querySelector("#live-export-message");
    show(place);
    const path = `${assetPath(this.asset)}/history?${query}`;
    await guarded(place, () => download(path, `${this.asset}-history.csv`, { Accept: "text/csv" }));
  }
}

async function openAlert(asset) {
  const query = new URLSearchParams({ state: "open", kind: "anomaly", limit: "1", asset });
  return (await api(`alerts?${query}`)).items[0] ?? null;
}

export const mountLive = (app) => new Live(app);
