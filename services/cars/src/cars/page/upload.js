/** Upload: files go in from anywhere, several on their way at once; a card for each shows how far it is and what it is. */

import { announce, button, formatBytes, h, listenForFiles, mark, plural, show } from "../ui/script.js";
import { cardOf } from "./uploadcard.js";
import { Lanes } from "./parallel.js";
import { Sending } from "./sending.js";

const AT_ONCE = 3;

class Upload {
  constructor(app) {
    this.app = app;
    this.sendings = [];
    this.cards = new Map();
    this.lanes = new Lanes(AT_ONCE);
    this.again = button("Try the failed ones again", () => this.retry(), "small");
    this.clearer = button("Clear the list", () => this.clear(), "small");
    listenForFiles({
      zone: find("drop"),
      dialogs: [
        [find("choose"), find("input")],
        [find("folder"), find("directory")],
      ],
      taken: (found) => this.take(found),
    });
    this.listenToLeaving();
  }

  /** Leaving the page would end what is on its way. */
  listenToLeaving() {
    addEventListener("beforeunload", (event) => {
      if (this.sendings.some(({ isOver }) => !isOver)) event.preventDefault();
    });
  }

  async enter() {
    const limits = (await this.app.loadHealth())?.limits;
    if (limits) show(find("limits"), ` At most ${formatBytes(limits.max_file_bytes)} each.`);
  }

  take(found) {
    this.app.tabs.open("upload");
    const limits = async () => (await this.app.loadHealth())?.limits ?? null;
    const sendings = found.map((each) => new Sending(each, limits, (sending) => this.changed(sending)));
    this.sendings.unshift(...sendings);
    for (const sending of sendings) this.cards.set(sending, h("li", { class: "card upload" }));
    find("list").prepend(...sendings.map((sending) => this.cards.get(sending)));
    find("drop").classList.add("compact");
    for (const sending of sendings) this.start(sending);
  }

  start(sending) {
    this.changed(sending);
    this.lanes.run(() => (this.cards.has(sending) ? sending.run() : null));
  }

  retry(sendings = this.sendings.filter(({ isFailed }) => isFailed)) {
    for (const sending of sendings) {
      sending.queue();
      this.start(sending);
    }
  }

  /** What is on its way stays in the list. */
  clear() {
    for (const sending of this.sendings.filter(({ isOver }) => isOver)) {
      this.cards.get(sending).remove();
      this.cards.delete(sending);
    }
    this.sendings = this.sendings.filter(({ isOver }) => !isOver);
    this.showProgress();
    find("choose").focus();
  }

  changed(sending) {
    const card = this.cards.get(sending);
    if (card) cardOf(card, sending, () => this.retry([sending]));
    this.showProgress();
  }

  showProgress() {
    const { sendings } = this;
    const over = sendings.filter(({ isOver }) => isOver).length;
    const isAllOver = over === sendings.length;
    find("progress").hidden = !sendings.length;
    if (!sendings.length) find("drop").classList.remove("compact");
    const bar = find("bar");
    bar.hidden = isAllOver;
    bar.max = Math.max(1, sendings.length);
    bar.value = over;
    this.say(isAllOver, over);
    const failed = sendings.filter(({ isFailed }) => isFailed).length;
    show(find("actions"), failed > 0 && this.again, over > 0 && this.clearer);
  }

  say(isAllOver, over) {
    const count = (state) => this.sendings.filter((sending) => sending.state === state).length;
    const lost = count("failed") + count("refused");
    const text = isAllOver
      ? `${plural(this.sendings.length - lost, "picture")} done`
      : `${over} of ${plural(this.sendings.length, "picture")} done`;
    if (isAllOver && find("said").textContent !== text) announce(text);
    show(find("said"), text, lost > 0 && [" ", mark("failed", `${lost} not taken`)]);
  }
}

const find = (name) => document.querySelector(`#upload-${name}`);

export const mountUpload = (app) => new Upload(app);
