/** Gallery: all pictures, newest first, more of them as one scrolls; filters, and work on several at once. */

import { api, button, empty, guarded, h, loading, plural, show } from "../ui/script.js";
import { Filters } from "./filters.js";
import { Selection } from "./selection.js";
import { Tiles } from "./tiles.js";

const PAGE = 60;
const MOST = 500; // that the service gives at once
const EARLY = "600px";

class Gallery {
  constructor(app) {
    this.app = app;
    this.cursor = null;
    this.turn = 0; // a list that was asked for before the filters changed is not shown
    this.chosen = null;
    this.filters = new Filters(find("filters"), () => this.refilter());
    this.tiles = new Tiles(find("tiles"), {
      changed: () => this.selection.draw(),
      remove: () => this.selection.run(() => this.selection.remove()),
    });
    this.selection = new Selection(app, find("selection"), find("message"), this.tiles, () => this.reload());
    this.more = button("Show more", () => this.load());
    const observer = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && this.load(), {
      rootMargin: EARLY,
    });
    observer.observe(this.more);
  }

  enter(detail) {
    this.offerLabels();
    if (detail || this.chosen === null) this.filters.fill(new URLSearchParams(detail));
    return this.reload();
  }

  async offerLabels() {
    if (await this.app.isAdmitted()) this.filters.offer(this.app.labels);
  }

  /** The address says what is shown, so that it can be linked; typing fills no history. */
  refilter() {
    const detail = this.filters.chosen.toString();
    history.replaceState(null, "", detail ? `#gallery/${encodeURIComponent(detail)}` : "#gallery");
    return this.reload();
  }

  /** Shows as many as there were, so that who comes back finds the place where they had been. */
  async reload() {
    const chosen = this.filters.chosen.toString();
    this.first = chosen === this.chosen ? Math.max(PAGE, Math.min(this.tiles.files.length, MOST)) : PAGE;
    this.chosen = chosen;
    this.turn += 1;
    this.cursor = null;
    this.isLoading = false;
    await this.load(true);
  }

  async load(isFirst = false) {
    if (this.isLoading || !(isFirst || this.cursor)) return;
    this.isLoading = true;
    const turn = this.turn;
    const end = find("end");
    if (isFirst && !this.tiles.files.length) show(end, loading());
    await guarded(end, async () => {
      const page = await api(this.address());
      if (turn !== this.turn) return;
      this.cursor = page.next_cursor;
      if (isFirst) this.tiles.show(page.items);
      else this.tiles.add(page.items);
      this.showEnd();
    });
    if (turn === this.turn) this.isLoading = false;
  }

  address() {
    const query = new URLSearchParams([...this.filters.query, ["limit", this.cursor ? PAGE : this.first]]);
    if (this.cursor) query.set("cursor", this.cursor);
    return `files/?${query}`;
  }

  showEnd() {
    const { length } = this.tiles.files;
    if (length)
      show(find("end"), h("div", { class: "empty" }, this.cursor ? this.more : plural(length, "picture") + " in all"));
    else if (this.chosen) show(find("end"), empty("No picture is like that."));
    else show(find("end"), empty("There are no pictures yet.", h("a", { href: "#upload" }, "Upload some")));
  }
}

const find = (name) => document.querySelector(`#gallery-${name}`);

export const mountGallery = (app) => new Gallery(app);
