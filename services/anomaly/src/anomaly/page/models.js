/** Models: assets and the versions of their models. */

import { ProblemError, api, ask, confirm, download, empty, everyItem, facts, formatBytes, formatNumber, guarded, h, loading, mark, problemBox, show, table, time } from "../ui/script.js";
import { reportView } from "./report.js";
import { mountSettings } from "./settings.js";
import { assetPath, ensureAsset, modelPath } from "./versions.js";

class Models {
  constructor(app) {
    this.app = app;
    this.message = document.querySelector("#models-message");
    this.list = document.querySelector("#models-versions");
    this.details = document.querySelector("#version-details");
    this.settings = mountSettings();
    const file = document.querySelector("#model-file");
    document.querySelector("#asset-create").addEventListener("click", () => this.create());
    document.querySelector("#model-upload").addEventListener("click", () => file.click());
    file.addEventListener("change", () => this.upload(file));
    document.querySelector("#model-rollback").addEventListener("click", () => this.rollBack());
    document.querySelector("#asset-delete").addEventListener("click", () => this.deleteAsset());
  }

  async enter() {
    const { asset } = this.app;
    show(this.message);
    this.details.hidden = true;
    show(document.querySelector("#versions-title"), `Versions of ${asset}`);
    document.querySelector("#asset-delete").disabled = asset === "default"; // the stateless calls need it
    this.drawAssets();
    this.settings.load(asset);
    await Promise.all([this.refresh(), this.app.refreshAssets().then(() => this.drawAssets(), (error) => { if (!(error instanceof ProblemError)) throw error; })]);
  }

  drawAssets() {
    const place = document.querySelector("#models-assets");
    if (!this.app.assets.length) return show(place, loading());
    return show(place, table("Assets", [
      ["Asset", (item) => h("a", { href: `#models/${encodeURIComponent(item.asset)}`, "aria-current": item.asset === this.app.asset ? "true" : null }, item.asset)],
      ["Active version", (item) => (item.active_version === null ? "none" : String(item.active_version)), "num"],
      ["Newest reading", (item) => (item.newest ? [mark(item.newest.status), " ", time(item.newest.timestamp)] : "none yet")],
      ["Alarm", (item) => (item.alarm ? mark(item.alarm.state, item.alarm.state === "normal" ? "none" : item.alarm.state) : "–")],
      ["Made", (item) => time(item.created_at)], ["", (item) => h("a", { href: `#live/${encodeURIComponent(item.asset)}`, "aria-label": `Watch ${item.asset} live` }, "Live"), "num"],
    ], this.app.assets, (item) => ({ class: item.asset === this.app.asset ? "chosen" : null })));
  }

  async refresh() {
    const { asset } = this.app;
    await guarded(this.list, async () => {
      const versions = await this.versions(asset);
      if (asset !== this.app.asset) return;
      document.querySelector("#model-rollback").disabled = !versions.some((version) => version.active);
      show(this.list, versions.length ? this.table(versions) : empty("No versions yet: train a model, or upload a model file."));
    });
  }

  async versions(asset) {
    try {
      return await everyItem(`${modelPath(asset)}?limit=100`);
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404 && this.app.assets.some((item) => item.asset === asset)) return [];
      throw error;
    }
  }

  table(versions) {
    return table("Versions", [
      ["Version", (version) => String(version.version), "num"], ["State", (version) => (version.active ? mark("normal", "active") : "")], ["Origin", (version) => `${version.origin}${version.parent ? ` from ${version.parent}` : ""}`],
      ["Kind", (version) => version.kind], ["Sensors", (version) => String(version.sensors.length), "num"], ["Window", (version) => String(version.window), "num"], ["Threshold", (version) => formatNumber(version.threshold), "num"],
      ["Made", (version) => time(version.created_at)], ["Size", (version) => formatBytes(version.size_bytes), "num"], ["", (version) => this.actions(version), "act"],
    ], versions, (version) => ({ class: version.active ? "chosen" : null }));
  }

  actions(version) {
    const name = `version ${version.version}`;
    const path = `${modelPath(version.asset)}/versions/${version.version}`;
    const act = (action) => () => this.act(action);
    return h("div", { class: "actions" },
      version.active ? null : h("button", { type: "button", class: "small", "aria-label": `Activate ${name}`, onclick: act(async () => {
        await api(`${path}/activate`, { method: "POST" });
        return `Version ${version.version} is active now.`;
      }) }, "Activate"),
      h("button", { type: "button", class: "small quiet", "aria-label": `Details of ${name}`, onclick: () => this.showDetails(path) }, "Details"),
      h("button", { type: "button", class: "small quiet", "aria-label": `Download ${name}`, onclick: act(() => download(`${path}/file`, `${version.asset}-v${version.version}.safetensors`)) }, "Download"),
      version.active ? null : h("button", { type: "button", class: "small quiet danger", "aria-label": `Delete ${name}`, onclick: act(async () => {
        if (!(await confirm(`Delete version ${version.version}?`, "Its model file is gone for good. Readings that it judged stay.", "Delete the version"))) return null;
        await api(path, { method: "DELETE" });
        return `Version ${version.version} was deleted.`;
      }) }, "Delete"));
  }

  /** Runs an action, says what it did, and shows what it changed. */
  async act(action) {
    show(this.message);
    try {
      const said = await action();
      if (!said) return;
      show(this.message, h("p", { class: "done" }, said));
      this.message.focus({ preventScroll: true });
      this.details.hidden = true;
      await Promise.all([this.refresh(), this.app.refreshAssets()]);
      this.drawAssets();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  async showDetails(path) {
    this.details.hidden = false;
    show(this.details, loading());
    await guarded(this.details, async () => {
      const version = await api(path);
      show(this.details, h("header", null, h("h2", null, `Version ${version.version} of ${version.asset}`), h("button", { type: "button", class: "small", onclick: () => { this.details.hidden = true; } }, "Close")),
        h("div", { class: "stack" }, facts([["Kind", version.kind], ["Window", String(version.window)], ["Threshold", formatNumber(version.threshold)], ["Origin", version.origin], ["Parent", version.parent ? String(version.parent) : null]]),
          h("p", { class: "hint" }, "sha256 ", h("code", null, version.sha256)), sensorTable(version.sensors), h("h3", null, "Report"), reportView(version.report)));
    });
    this.details.scrollIntoView({ block: "nearest" });
  }

  async create() {
    const answer = await ask({ title: "New asset", action: "Create", fields: [{ name: "asset", label: "Name", required: true, maxlength: 128, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}", hint: "Letters, digits, dot, underscore and hyphen; the first a letter or a digit." }] });
    if (!answer) return;
    await this.act(async () => {
      await ensureAsset(answer.asset);
      return `The asset ${answer.asset} exists now.`;
    });
    if (!this.message.querySelector(".problem")) this.app.navigate("models", answer.asset);
  }

  async upload(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const answer = await ask({ title: `Upload ${file.name}`, text: `${formatBytes(file.size)}; becomes a new version of ${this.app.asset}.`, action: "Upload", fields: [{ name: "activate", label: "Afterwards", options: [["false", "Only keep it"], ["true", "Activate it at once"]] }] });
    if (!answer) return;
    await this.act(async () => {
      const version = await api(`${modelPath(this.app.asset)}?activate=${answer.activate}`, { method: "PUT", body: file, headers: { "Content-Type": "application/octet-stream" } });
      return `Uploaded as version ${version.version}.`;
    });
  }

  async rollBack() {
    if (!(await confirm(`Roll ${this.app.asset} back?`, "The version that was active before becomes active again.", "Roll back", false))) return;
    await this.act(async () => {
      const version = await api(`${modelPath(this.app.asset)}/rollback`, { method: "POST" });
      return `Rolled back: version ${version.version} is active now.`;
    });
  }

  async deleteAsset() {
    const { asset } = this.app;
    if (!(await confirm(`Delete ${asset}?`, `All versions, readings and alerts of ${asset} are gone for good.`, "Delete the asset"))) return;
    await this.act(async () => {
      await api(assetPath(asset), { method: "DELETE" });
      this.app.navigate("models", "default");
      return null;
    });
  }
}

function sensorTable(sensors) {
  return table("Sensors of the model", [["Sensor", (sensor) => sensor.name, "name"], ["Unit", (sensor) => sensor.unit ?? ""], ["Lowest", (sensor) => formatNumber(sensor.low), "num"], ["Highest", (sensor) => formatNumber(sensor.high), "num"]], sensors);
}

export const mountModels = (app) => new Models(app);
