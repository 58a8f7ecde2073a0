/** Models: the versions of an asset's model, and what can be done with them. */

import {
  ProblemError,
  api,
  ask,
  button,
  confirm,
  download,
  empty,
  everyItem,
  formatBytes,
  formatNumber,
  guarded,
  h,
  loading,
  mark,
  problemBox,
  show,
  table,
  time,
} from "../ui/script.js";
import { createAsset, deleteAsset, drawAssets } from "./assets.js";
import { mountSettings } from "./settings.js";
import { modelPath } from "./versions.js";
import { versionView } from "./versionview.js";

const AFTERWARDS = [
  ["false", "Only keep it"],
  ["true", "Activate it at once"],
];

class Models {
  constructor(app) {
    this.app = app;
    this.message = document.querySelector("#models-message");
    this.list = document.querySelector("#models-versions");
    this.details = document.querySelector("#version-details");
    this.settings = mountSettings();
    const file = document.querySelector("#model-file");
    const onClick = (selector, action) => document.querySelector(selector).addEventListener("click", action);
    file.addEventListener("change", () => this.upload(file));
    onClick("#asset-create", () => this.createAsset());
    onClick("#model-upload", () => file.click());
    onClick("#model-rollback", () => this.rollBack());
    onClick("#asset-delete", () => this.deleteAsset());
  }

  async enter() {
    const { asset } = this.app;
    show(this.message);
    this.details.hidden = true;
    show(document.querySelector("#versions-title"), `Versions of ${asset}`);
    document.querySelector("#asset-delete").disabled = asset === "default"; // the stateless calls need it
    this.settings.load(asset);
    await Promise.all([this.refreshVersions(), this.refreshAssets()]);
  }

  async refreshAssets() {
    const place = document.querySelector("#models-assets");
    drawAssets(place, this.app.assets, this.app.asset);
    await guarded(place, async () => drawAssets(place, await this.app.refreshAssets(), this.app.asset));
  }

  async refreshVersions() {
    const { asset } = this.app;
    await guarded(this.list, async () => {
      const versions = await everyItem(`${modelPath(asset)}?limit=100`);
      if (asset !== this.app.asset) return;
      document.querySelector("#model-rollback").disabled = !versions.some((version) => version.active);
      const nothing = "No versions yet: train a model, or upload a model file.";
      show(this.list, versions.length ? this.table(versions) : empty(nothing));
    });
  }

  table(versions) {
    const columns = [
      ["Version", (version) => String(version.version), "num"],
      ["State", (version) => (version.active ? mark("normal", "active") : "")],
      ["Origin", (version) => `${version.origin}${version.parent ? ` from ${version.parent}` : ""}`],
      ["Kind", (version) => version.kind],
      ["Sensors", (version) => String(version.sensors.length), "num"],
      ["Window", (version) => String(version.window), "num"],
      ["Threshold", (version) => formatNumber(version.threshold), "num"],
      ["Made", (version) => time(version.created_at)],
      ["Size", (version) => formatBytes(version.size_bytes), "num"],
      ["", (version) => this.actions(version), "act"],
    ];
    return table("Versions", columns, versions, ({ active }) => ({ class: active ? "chosen" : null }));
  }

  actions({ asset, version, active }) {
    const path = `${modelPath(asset)}/versions/${version}`;
    const action = (text, run, kind) => button(text, run, kind, `${text} version ${version}`);
    return h(
      "div",
      { class: "actions" },
      !active && action("Activate", () => this.act(() => this.activate(path, version)), "small"),
      action("Details", () => this.showDetails(path), "small quiet"),
      action(
        "Download",
        () => this.act(() => download(`${path}/file`, `${asset}-v${version}.safetensors`)),
        "small quiet",
      ),
      !active && action("Delete", () => this.act(() => this.delete(path, version)), "small quiet danger"),
    );
  }

  /** Runs an action, says what it did, and shows what it changed; one that says nothing changed nothing. */
  async act(action) {
    show(this.message);
    try {
      const said = await action();
      if (!said) return;
      show(this.message, h("p", { class: "done" }, said));
      this.message.focus({ preventScroll: true });
      this.details.hidden = true;
      await Promise.all([this.refreshVersions(), this.refreshAssets()]);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      show(this.message, problemBox(error));
    }
  }

  async activate(path, version) {
    await api(`${path}/activate`, { method: "POST" });
    return `Version ${version} is active now.`;
  }

  async delete(path, version) {
    const text = "Its model file is gone for good. Readings that it judged stay.";
    if (!(await confirm(`Delete version ${version}?`, text, "Delete the version"))) return null;
    await api(path, { method: "DELETE" });
    return `Version ${version} was deleted.`;
  }

  async showDetails(path) {
    this.details.hidden = false;
    show(this.details, loading());
    await guarded(this.details, async () => {
      const version = await api(path);
      const close = button("Close", () => (this.details.hidden = true), "small");
      const title = h("h2", null, `Version ${version.version} of ${version.asset}`);
      show(this.details, h("header", null, title, close), versionView(version));
    });
    this.details.scrollIntoView({ block: "nearest" });
  }

  async upload(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const { asset } = this.app;
    const text = `${formatBytes(file.size)}; becomes a new version of ${asset}.`;
    const fields = [{ name: "activate", label: "Afterwards", options: AFTERWARDS }];
    const answer = await ask({ title: `Upload ${file.name}`, text, action: "Upload", fields });
    if (!answer) return;
    await this.act(async () => {
      const headers = { "Content-Type": "application/octet-stream" };
      const path = `${modelPath(asset)}?activate=${answer.activate}`;
      const { version } = await api(path, { method: "PUT", body: file, headers });
      return `Uploaded as version ${version}.`;
    });
  }

  async rollBack() {
    const { asset } = this.app;
    const text = "The version that was active before becomes active again.";
    if (!(await confirm(`Roll ${asset} back?`, text, "Roll back", false))) return;
    await this.act(async () => {
      const { version } = await api(`${modelPath(asset)}/rollback`, { method: "POST" });
      return `Rolled back: version ${version} is active now.`;
    });
  }

  async createAsset() {
    await this.act(async () => {
      const asset = await createAsset();
      if (asset) this.app.navigate("models", asset);
    });
  }

  async deleteAsset() {
    await this.act(async () => {
      if (await deleteAsset(this.app.asset)) this.app.navigate("models", "default");
    });
  }
}

export const mountModels = (app) => new Models(app);
