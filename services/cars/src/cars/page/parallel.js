/** Work on many things, a few at a time. */

export class Lanes {
  constructor(atOnce) {
    this.free = atOnce;
    this.waiting = [];
  }

  /** Runs `work` when it is its turn; resolves to its result. */
  async run(work) {
    if (this.free > 0) this.free -= 1;
    else await new Promise((turn) => this.waiting.push(turn));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free += 1;
    }
  }
}

/** Runs `work(item)` for all, at most `atOnce` at a time; resolves to the errors as [item, error]. */
export async function eachOf(items, atOnce, work) {
  const lanes = new Lanes(atOnce);
  const failures = [];
  const attempt = (item) => lanes.run(() => work(item)).catch((error) => failures.push([item, error]));
  await Promise.all(items.map(attempt));
  return failures;
}
