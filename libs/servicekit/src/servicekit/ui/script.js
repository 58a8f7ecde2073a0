/** What the pages of all services share; a page imports from here alone. */

export * from "./calls.js";
export * from "./charts.js";
export * from "./csvtext.js";
export * from "./dialogs.js";
export * from "./elements.js";
export * from "./format.js";
export * from "./frame.js";
export * from "./histogram.js";
export * from "./intake.js";
export * from "./lines.js";
export { sparkline } from "./plots.js";
export { timeTicks } from "./scales.js";
export * from "./stream.js";
export * from "./tabs.js";
