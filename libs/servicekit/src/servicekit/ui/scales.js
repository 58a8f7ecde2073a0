/** Scales from values to pixels, and round values for their ticks. */

/** Round tick values between two numbers, about `count` of them. */
export function niceTicks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-6; tick += step)
    ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

/** Powers of ten between two positive numbers; with 2 and 5 between where the range is short. */
function logTicks(low, high) {
  const factors = Math.log10(high / low) > 2.5 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(3)));
    }
  }
  return ticks;
}

/** A scale from values to pixels, linear or logarithmic, with its inverse and its ticks. */
export function makeScale(low, high, from, to, logarithmic = false) {
  const map = logarithmic ? (value) => Math.log10(Math.max(value, low)) : (value) => value;
  const start = map(low);
  const span = map(high) - start || 1;
  const scale = (value) => from + ((map(value) - start) / span) * (to - from);
  scale.inverse = (pixel) => {
    const value = start + ((pixel - from) / (to - from || 1)) * span;
    return logarithmic ? 10 ** value : value;
  };
  scale.ticks = (count) => (logarithmic ? logTicks(low, high) : niceTicks(low, high, count));
  return scale;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  [SECOND, [1, 2, 5, 10, 15, 30]],
  [MINUTE, [1, 2, 5, 10, 15, 30]],
  [HOUR, [1, 2, 3, 6, 12]],
  [DAY, [1, 2, 7, 28, 91, 364]],
].flatMap(([unit, factors]) => factors.map((factor) => factor * unit));

/** Ticks at whole seconds, minutes, hours or days of local time, about `count` between two epoch milliseconds. */
export function timeTicks(first, last, count) {
  const step =
    TIME_STEPS.find((candidate) => (last - first) / candidate <= count + 1) ?? Math.ceil((last - first) / count);
  const shift = new Date(first).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let tick = Math.ceil((first - shift) / step) * step + shift; tick <= last; tick += step) ticks.push(tick);
  return ticks;
}
