/** Tabs that follow the address: `#name/detail` shows the panel `#name`, whose tab is `#tab-name`. */

export class Tabs {
  /** `opened(name, detail, before)` is called for each panel that is shown; the first name is shown without an address. */
  constructor(names, opened) {
    this.names = names;
    this.opened = opened;
    this.current = null;
    const list = document.querySelector("[role=tablist]");
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (tab) this.open(tab.getAttribute("aria-controls"));
    });
    list.addEventListener("keydown", (event) => this.move(event));
    addEventListener("hashchange", () => this.follow());
  }

  /** Opens a panel; the address changes with it, so that it can be linked and gone back from. */
  open(name, detail = "") {
    const hash = detail ? `#${name}/${encodeURIComponent(detail)}` : `#${name}`;
    if (location.hash === hash) this.follow();
    else location.hash = hash;
  }

  /** Shows what the address says. */
  follow() {
    const [name, detail = ""] = location.hash.slice(1).split("/");
    const before = this.current;
    this.current = this.names.includes(name) ? name : this.names[0];
    for (const each of this.names) this.mark(each, each === this.current);
    this.opened(this.current, decoded(detail), before);
  }

  mark(name, isOpen) {
    document.querySelector(`#${name}`).hidden = !isOpen;
    const tab = document.querySelector(`#tab-${name}`);
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    if (isOpen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  move(event) {
    const at = this.names.indexOf(this.current);
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.names.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const name = this.names[(target + this.names.length) % this.names.length];
    this.open(name);
    document.querySelector(`#tab-${name}`).focus();
  }
}

/** The detail of an address that somebody may have typed: one that is no valid encoding is taken as it stands. */
function decoded(detail) {
  try {
    return decodeURIComponent(detail);
  } catch {
    return detail;
  }
}
