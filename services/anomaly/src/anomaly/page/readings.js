/** The readings of an asset that the live view holds, and how they become points of its chart. */

import { formatClock, formatDay, formatNumber } from "../ui/script.js";

const DAY_MS = 86400000;

/** Readings by time, newest last, each time once, at most `most`. */
export class Readings {
  constructor(most) {
    this.most = most;
    this.items = [];
  }

  add(reading) {
    reading.at = Date.parse(reading.timestamp);
    let place = this.items.length;
    while (place > 0 && this.items[place - 1].at > reading.at) place -= 1;
    if (this.items[place - 1]?.at === reading.at) this.items[place - 1] = reading;
    else this.items.splice(place, 0, reading);
    if (this.items.length > this.most) this.items.splice(0, this.items.length - this.most);
  }

  get newest() {
    return this.items.at(-1) ?? null;
  }

  /** The last values of one sensor, oldest first. */
  valuesOf(index, count = 120) {
    return this.items.slice(-count).map((reading) => reading.values?.[index] ?? null);
  }

  points() {
    return this.items.map(toPoint);
  }

  /** The time of day, with the day where the readings span more than one. */
  clock(at) {
    const date = new Date(at);
    const { items } = this;
    if (items.length < 2 || items.at(-1).at - items[0].at < DAY_MS) return formatClock(date);
    return `${formatDay(date).slice(5)} ${formatClock(date).slice(0, 5)}`;
  }
}

function toPoint({ at, score, threshold, status, reason }) {
  const unjudged = reason ? `not judged (${reason})` : "not judged";
  const said = score === null ? unjudged : `score ${formatNumber(score)}`;
  const when = new Date(at);
  return { x: at, y: score, threshold, status, text: `${formatDay(when)} ${formatClock(when)}: ${said}, ${status}` };
}
