/** The frame of the page: its sections, and the model that all of them speak of. */

import { ProblemError, Tabs, api, connectFrame, h, on, show } from "../ui/script.js";
import { mountDraw } from "./draw.js";
import { mountExamples } from "./examples.js";
import { mountFiles } from "./files.js";
import { mountModels } from "./models.js";

const MOUNT = { draw: mountDraw, files: mountFiles, models: mountModels, api: mountExamples };

/** What the sections know of the page around them. */
class App {
  constructor() {
    this.models = null;
    this.picker = document.querySelector("#model");
    this.sections = {};
    this.tabs = new Tabs(Object.keys(MOUNT), (name, detail, before) => this.opened(name, detail, before));
    this.picker.addEventListener("change", () => this.sections[this.tabs.current].modelChosen?.());
  }

  /** The chosen model as a call names it; empty is the service's own choice. */
  get model() {
    return this.picker.value;
  }

  /** Its name, once the models are known. */
  get modelName() {
    return this.model || (this.models?.find((model) => model.default)?.name ?? "");
  }

  opened(name, detail, before) {
    this.sections[before]?.leave?.();
    this.sections[name].enter?.(detail);
  }

  /** The models; asked for once, and again after a failure. Throws ProblemError. */
  async loadModels() {
    if (!this.models) {
      const { items } = await api("models");
      this.models = items;
      this.fillPicker();
    }
    return this.models;
  }

  /** Tells whether the service answers this page at all; the bars say what is missing where it does not. */
  async isAdmitted() {
    try {
      await this.loadModels();
      return true;
    } catch (error) {
      if (error instanceof ProblemError) return false;
      throw error;
    }
  }

  fillPicker() {
    const chosen = this.model;
    const option = ({ name, default: isDefault }) =>
      h("option", { value: isDefault ? "" : name }, isDefault ? `${name} (default)` : name);
    show(this.picker, this.models.map(option));
    this.picker.value = chosen;
  }
}

function start() {
  connectFrame();
  const app = new App();
  for (const [name, mount] of Object.entries(MOUNT)) app.sections[name] = mount(app);
  app.tabs.follow();
  app.isAdmitted();
  on("key", () => {
    app.models = null;
    app.tabs.follow();
  });
}

start();
