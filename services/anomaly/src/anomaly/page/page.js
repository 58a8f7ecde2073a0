/** The frame of the page: tabs that follow the address, the chosen asset, the service's health and the count of open alerts. */

import { ProblemError, Tabs, api, connectFrame, everyItem, h, on, poll, show } from "../ui/script.js";
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
const OF_AN_ASSET = new Set(["live", "threshold", "training", "models"]);
const COUNT_EVERY_MS = 15000;

/** What the sections know of the page around them. */
class App {
  constructor() {
    this.assets = [];
    this.asset = "default";
    this.sections = {};
    this.tabs = new Tabs(Object.keys(MOUNT), (tab, asset, before) => this.opened(tab, asset, before));
    this.picker = document.querySelector("#asset");
    this.picker.addEventListener("change", () => this.navigate(this.tabs.current, this.picker.value));
  }

  /** Opens a section, for an asset where it is about one. */
  navigate(tab, asset = this.asset) {
    this.tabs.open(tab, OF_AN_ASSET.has(tab) ? asset : "");
  }

  opened(tab, asset, before) {
    if (asset) this.asset = asset;
    this.sections[before]?.leave?.();
    document.querySelector("#asset-picker").hidden = !OF_AN_ASSET.has(tab);
    this.fillPicker();
    this.sections[tab].enter?.();
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

async function refreshCount() {
  const { items, next_cursor: more } = await api("alerts?state=open&limit=100");
  const badge = document.querySelector("#alert-count");
  badge.hidden = !items.length;
  show(badge, `${items.length}${more ? "+" : ""}`, h("span", { class: "visually-hidden" }, " open"));
}

function start() {
  connectFrame();
  const app = new App();
  for (const [name, mount] of Object.entries(MOUNT)) app.sections[name] = mount(app);
  const refresh = () =>
    app.refreshAssets().catch((error) => {
      if (!(error instanceof ProblemError)) throw error;
    });
  on("key", () => refresh().then(() => app.tabs.follow()));
  app.tabs.follow();
  refresh();
  poll(refreshCount, COUNT_EVERY_MS);
}

start();
