/** Reading the versions of an asset's model. */

import { ProblemError, api } from "../ui/script.js";

export const modelPath = (asset) => `models/${encodeURIComponent(asset)}`;
export const assetPath = (asset) => `assets/${encodeURIComponent(asset)}`;

/** The active version, or null where the asset has none or does not exist. */
export async function activeVersion(asset) {
  try {
    const { active_version: number } = await api(assetPath(asset));
    return number === null ? null : await api(`${modelPath(asset)}/versions/${number}`);
  } catch (error) {
    if (error instanceof ProblemError && error.status === 404) return null;
    throw error;
  }
}

/** Makes the asset where it does not exist yet. */
export async function ensureAsset(asset) {
  await api(assetPath(asset), { method: "PUT", json: {} });
}
