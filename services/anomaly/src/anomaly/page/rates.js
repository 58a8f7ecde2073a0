/** Nominal false-alarm rates by threshold, from the calibration curve. */

import { formatPercent } from "../ui/script.js";

const SMALLEST = 1e-9; // a rate of zero has no logarithm

/** The rate at a threshold, between the points of the curve (logarithmic in the rate); beyond its ends with a bound. */
export function rateAt(curve, threshold) {
  const points = [...curve].sort((a, b) => a.threshold - b.threshold);
  if (!points.length) return null;
  const next = points.findIndex((point) => point.threshold >= threshold);
  if (next < 0) return { rate: points.at(-1).false_alarm_rate, bound: "at most " };
  const b = points[next];
  if (next === 0) return { rate: b.false_alarm_rate, bound: b.threshold > threshold ? "at least " : "" };
  const a = points[next - 1];
  const share = (threshold - a.threshold) / (b.threshold - a.threshold || 1);
  const [low, high] = [a, b].map((point) => Math.max(point.false_alarm_rate, SMALLEST));
  return { rate: low * (high / low) ** share, bound: "" };
}

/** "1 % (1 row in 100)". */
export function rateText(rate) {
  if (!Number.isFinite(rate)) return "not known";
  return rate > 0 ? `${formatPercent(rate)} (1 row in ${Math.round(1 / rate).toLocaleString("en")})` : "0 %";
}

/** About how many of a histogram's rows lie above a threshold; a bin that it cuts counts in part. */
export function countAbove({ edges, counts }, threshold) {
  const share = (index) => (edges[index + 1] - threshold) / (edges[index + 1] - edges[index] || 1);
  return Math.round(counts.reduce((sum, count, index) => sum + count * Math.max(0, Math.min(1, share(index))), 0));
}
