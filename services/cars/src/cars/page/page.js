/** The frame of the page: its sections, and what the service tells of itself. */

import { ProblemError, Tabs, api, connectFrame, on } from "../ui/script.js";
import { mountDetail } from "./detail.js";
import { mountExamples } from "./examples.js";
import { mountGallery } from "./gallery.js";
import { mountModels } from "./models.js";
import { mountStatistics } from "./statistics.js";
import { mountUpload } from "./upload.js";

const MOUNT = {
  upload: mountUpload,
  gallery: mountGallery,
  file: mountDetail,
  statistics: mountStatistics,
  models: mountModels,
  api: mountExamples,
};

/** What the sections know of the page around them. */
class App {
  constructor() {
    this.health = null;
    this.labels = null;
    this.sections = {};
    this.tabs = new Tabs(Object.keys(MOUNT), (name, detail, before) => this.opened(name, detail, before));
  }

  opened(name, detail, before) {
    this.sections[before]?.leave?.();
    this.sections[name].enter?.(detail);
  }

  /** What `/health` tells, asked for once; null while the service does not answer. */
  async loadHealth() {
    try {
      this.health ??= await api("health");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
    }
    return this.health;
  }

  /** The cars that the shipped model knows, asked for once. Throws ProblemError. */
  async loadLabels() {
    this.labels ??= (await api("labels")).items;
    return this.labels;
  }

  /** Asks for the labels, which need a key where the service has keys; the bar asks for one. */
  async isAdmitted() {
    try {
      await this.loadLabels();
      return true;
    } catch (error) {
      if (error instanceof ProblemError) return false;
      throw error;
    }
  }
}

function start() {
  connectFrame();
  const app = new App();
  for (const [name, mount] of Object.entries(MOUNT)) app.sections[name] = mount(app);
  app.tabs.follow();
  app.isAdmitted();
  on("key", () => app.tabs.follow());
}

start();
