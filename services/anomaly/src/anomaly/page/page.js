/** The frame of the page: tabs that follow the address, the chosen asset, the service's health and the count of open alerts. */

import { ProblemError, api, connectBars, everyItem, formatNumber, h, mark, on, poll, show } from "../ui/script.js";
import { mountAlerts } from "./alerts.js";
import { mountCsv } from "./csv.js";
import { mountLive } from "./live.js";
import { mountModels } from "./models.js";
import { mountScore } from "./score.js";
import { mountThreshold } from "./threshold.js";
import { mountTraining } from "./training.js";

const MOUNT = {
  score: mountScore,
  csv: mountCsv,
  live: mountLive,
  threshold: mountThreshold,
  training: mountTraining,
  models: mountModels,
  alerts: mountAlerts,
};
const TABS = Object.keys(MOUNT);
const OF_AN_ASSET = new Set(["live", "threshold", "training", "models"]);
const HEALTH_EVERY_MS = 15000;

/** What the sections know of the page around them. */
class App {
  constructor() {
    this.assets = [];
    this.asset = "default";
    this.tab = null;
    this.sections = {};
    this.picker = document.querySelector("#asset");
    this.picker.addEventListener("change", () => this.navigate(this.tab, this.picker.value));
  }

  /** Opens a section; the address changes with it, so that it can be linked and gone back from. */
  navigate(tab, asset = this.asset) {
    const hash = OF_AN_ASSET.has(tab) ? `#${tab}/${encodeURIComponent(asset)}` : `#${tab}`;
    if (location.hash === hash) this.follow();
    else location.hash = hash;
  }

  /** Shows what the address says. */
  follow() {
    const [tab, asset] = location.hash.slice(1).split("/");
    const next = TABS.includes(tab) ? tab : "score";
    if (asset) this.asset = decodeURIComponent(asset);
    this.sections[this.tab]?.leave?.();
    this.tab = next;
    for (const name of TABS) {
      document.querySelector(`#${name}`).hidden = name !== next;
      const button = document.querySelector(`#tab-${name}`);
      button.setAttribute("aria-selected", String(name === next));
      button.tabIndex = name === next ? 0 : -1;
      if (name === next) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    document.querySelector("#asset-picker").hidden = !OF_AN_ASSET.has(next);
    this.fillPicker();
    this.sections[next].enter?.();
  }

  fillPicker() {
    const names = this.assets.map((item) => item.asset);
    if (!names.includes(this.asset)) names.unshift(this.asset);
    show(
      this.picker,
      names.map((name) => h("option", { value: name, selected: name === this.asset }, name)),
    );
    this.picker.value = this.asset;
    show(
      document.querySelector("#asset-names"),
      names.map((name) => h("option", { value: name })),
    );
  }

  async refreshAssets() {
    this.assets = await everyItem("assets?limit=100");
    this.fillPicker();
    return this.assets;
  }
}

function connectTabs(app) {
  const list = document.querySelector("[role=tablist]");
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) app.navigate(tab.getAttribute("aria-controls"));
  });
  list.addEventListener("keydown", (event) => {
    const at = TABS.indexOf(app.tab);
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: TABS.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const name = TABS[(target + TABS.length) % TABS.length];
    app.navigate(name);
    document.querySelector(`#tab-${name}`).focus();
  });
}

async function refreshHealth() {
  const place = document.querySelector("#health");
  let health;
  try {
    health = await api("health");
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    health =
      error.problem.status === undefined || error.status === 0
        ? { status: "unhealthy", detail: error.message }
        : { ...error.problem, status: "unhealthy" };
  }
  const version = health.model_version ?? health.version;
  const model = health.model
    ? `${health.model}${version === undefined ? "" : ` ${formatVersion(version)}`}`
    : (health.detail ?? "");
  show(place, mark(health.status), h("span", { class: "hint" }, ` ${model}`));
}

const formatVersion = (version) => (Number.isFinite(version) ? `version ${formatNumber(version)}` : String(version));

async function refreshCount() {
  const { items, next_cursor: more } = await api("alerts?state=open&limit=100");
  const badge = document.querySelector("#alert-count");
  badge.hidden = !items.length;
  show(badge, `${items.length}${more ? "+" : ""}`, h("span", { class: "visually-hidden" }, " open"));
}

function start() {
  const direct = location.pathname === "/";
  history.replaceState(null, "", new URL(document.baseURI).pathname + location.search + location.hash);
  document.querySelector("#home").hidden = direct || document.baseURI.endsWith(`${location.host}/`);
  document.querySelector("#skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#main").focus();
  });
  connectBars();
  const app = new App();
  for (const name of TABS) app.sections[name] = MOUNT[name](app);
  connectTabs(app);
  const refresh = () =>
    app.refreshAssets().catch((error) => {
      if (!(error instanceof ProblemError)) throw error;
    });
  addEventListener("hashchange", () => app.follow());
  on("key", () => refresh().then(() => app.follow()));
  app.follow();
  refresh();
  poll(refreshHealth, HEALTH_EVERY_MS);
  poll(refreshCount, HEALTH_EVERY_MS);
}

start();
