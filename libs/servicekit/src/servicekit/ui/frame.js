/** What stands around every service's page: its address, the way past the header, the key and offline bars, its health. */

import { ProblemError, api, connectBars, poll } from "./calls.js";
import { h, mark, show } from "./elements.js";
import { formatNumber } from "./format.js";

const HEALTH_EVERY_MS = 15000;

/** Brings the frame to life: `#skip`, `#main`, `#home` (shown where a gateway is above), `#health` and the bars. */
export function connectFrame() {
  const direct = location.pathname === "/";
  history.replaceState(null, "", new URL(document.baseURI).pathname + location.search + location.hash);
  document.querySelector("#home").hidden = direct || document.baseURI.endsWith(`${location.host}/`);
  document.querySelector("#skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#main").focus();
  });
  connectBars();
  poll(refreshHealth, HEALTH_EVERY_MS);
}

async function refreshHealth() {
  const health = await api("health").catch(ofFailure);
  const version = health.model_version ?? health.version;
  const model = health.model ? [health.model, versionText(version)].filter(Boolean).join(" ") : (health.detail ?? "");
  show(document.querySelector("#health"), mark(health.status), h("span", { class: "hint" }, ` ${model}`));
}

/** The health that a refusal tells: its own document where it has one, else the reason. */
function ofFailure(error) {
  if (!(error instanceof ProblemError)) throw error;
  if (error.problem.status === undefined || error.status === 0) return { status: "unhealthy", detail: error.message };
  return { ...error.problem, status: "unhealthy" };
}

const versionText = (version) =>
  version === undefined || version === null
    ? ""
    : Number.isFinite(version)
      ? `version ${formatNumber(version)}`
      : String(version);
