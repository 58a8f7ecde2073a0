/** How sure a reading is, in three bands that are told by shape, word and stroke as well as by colour. */

const BANDS = [
  { least: 0.9, name: "sure", text: "90 % and more" },
  { least: 0.7, name: "fair", text: "70 to 90 %" },
  { least: 0, name: "weak", text: "below 70 %" },
];

export const bands = () => BANDS;

export const bandOf = (confidence) => BANDS.find(({ least }) => confidence >= least) ?? BANDS.at(-1);

/** Never rounded up to 100 %. */
export function percent(confidence) {
  if (!Number.isFinite(confidence)) return "–";
  return confidence === 1 ? "100 %" : `${Math.floor(confidence * 1000) / 10} %`;
}

/** The mean over lines; null where there are none. */
export function mean(lines) {
  if (!lines.length) return null;
  return lines.reduce((sum, line) => sum + line.confidence, 0) / lines.length;
}
