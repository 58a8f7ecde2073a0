/** When to ask again: soon while something moves, ever less often while nothing does. */

const SOON_MS = 1000;
const BUSY_MOST_MS = 8000;
const IDLE_MOST_MS = 60000;

export class Pace {
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.hurry();
  }

  /** Something was done that will change what there is. */
  hurry() {
    this.delay = SOON_MS;
    this.due = this.clock();
  }

  isDue() {
    return this.clock() >= this.due;
  }

  /** What was seen: whether it differed from before, and whether it will go on changing by itself. */
  saw(hasChanged, isMoving) {
    const most = isMoving ? BUSY_MOST_MS : IDLE_MOST_MS;
    this.delay = hasChanged ? SOON_MS : Math.min(this.delay * 2, most);
    this.due = this.clock() + this.delay;
  }
}
