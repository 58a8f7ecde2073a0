/** Asks one thing at a time; of what comes up meanwhile only the newest is asked next. */

export class Newest {
  /** `ask(question)` is awaited; `answered(answer, question)` or `failed(error)` hears how it went. */
  constructor(ask, answered, failed) {
    this.ask = ask;
    this.answered = answered;
    this.failed = failed;
    this.waiting = null;
    this.isAsking = false;
    this.era = 0;
  }

  /** `make()` gives the question once its turn has come, so that one that is overtaken costs nothing. */
  push(make) {
    this.waiting = make;
    if (!this.isAsking) this.run();
  }

  /** Forgets what waits, and the answer that is still out. */
  drop() {
    this.waiting = null;
    this.era += 1;
  }

  async run() {
    this.isAsking = true;
    try {
      while (this.waiting) await this.turn();
    } finally {
      this.isAsking = false;
    }
  }

  async turn() {
    const { era } = this;
    const question = this.waiting();
    this.waiting = null;
    try {
      const answer = await this.ask(question);
      if (era === this.era) this.answered(answer, question);
    } catch (error) {
      if (era === this.era) this.failed(error);
    }
  }
}
