/** The list of assets, and making and deleting one. */

import { ask, confirm, api, h, loading, mark, show, table, time } from "../ui/script.js";
import { alarmMark } from "./assetview.js";
import { assetPath, ensureAsset } from "./versions.js";

const NAME = {
  name: "asset",
  label: "Name",
  required: true,
  maxlength: 128,
  pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,127}",
  hint: "Letters, digits, dot, underscore and hyphen; the first a letter or a digit.",
};

const linkTo = (tab, asset, attributes, text) =>
  h("a", { href: `#${tab}/${encodeURIComponent(asset)}`, ...attributes }, text);

/** Draws the assets; the chosen one is marked. */
export function drawAssets(place, assets, chosen) {
  if (!assets.length) return show(place, loading());
  const current = (asset) => ({ "aria-current": asset === chosen ? "true" : null });
  const columns = [
    ["Asset", ({ asset }) => linkTo("models", asset, current(asset), asset)],
    ["Active version", (item) => String(item.active_version ?? "none"), "num"],
    ["Newest reading", ({ newest }) => (newest ? [mark(newest.status), " ", time(newest.timestamp)] : "none yet")],
    ["Alarm", (item) => alarmMark(item.alarm)],
    ["Made", (item) => time(item.created_at)],
    ["", ({ asset }) => linkTo("live", asset, { "aria-label": `Watch ${asset} live` }, "Live"), "num"],
  ];
  return show(
    place,
    table("Assets", columns, assets, ({ asset }) => ({ class: asset === chosen ? "chosen" : null })),
  );
}

/** Asks for a name and makes the asset; returns the name, or null when cancelled. */
export async function createAsset() {
  const answer = await ask({ title: "New asset", action: "Create", fields: [NAME] });
  if (!answer) return null;
  await ensureAsset(answer.asset);
  return answer.asset;
}

/** Deletes the asset after a confirmation; returns whether it was deleted. */
export async function deleteAsset(asset) {
  const text = `All versions, readings and alerts of ${asset} are gone for good.`;
  if (!(await confirm(`Delete ${asset}?`, text, "Delete the asset"))) return false;
  await api(assetPath(asset), { method: "DELETE" });
  return true;
}
