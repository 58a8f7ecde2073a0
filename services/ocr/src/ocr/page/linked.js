/** Boxes and lines that stand for each other: what is pointed at in one place is shown in the other. */

export class Linked {
  /** `pointed(index, place)` hears which line is meant, null for none; `chosen(index, place)` of a click or Enter. */
  constructor(pointed, chosen) {
    this.pointed = pointed;
    this.chosen = chosen;
  }

  /** Hears a place whose elements carry `data-line`; one of them has the place's only tab stop, arrow keys move it. */
  listen(place) {
    const indexOf = ({ target }) => {
      const element = target.closest?.("[data-line]");
      return element ? Number(element.dataset.line) : null;
    };
    place.addEventListener("pointerover", (event) => this.pointed(indexOf(event), place));
    place.addEventListener("pointerleave", () => this.pointed(null, place));
    place.addEventListener("focusin", (event) => this.pointed(indexOf(event), place));
    place.addEventListener("focusout", () => this.pointed(null, place));
    place.addEventListener("keydown", (event) => this.move(event, place));
    place.addEventListener("click", (event) => {
      const index = indexOf(event);
      if (index !== null && event.detail < 2 && getSelection().isCollapsed) this.chosen(index, place);
    });
  }

  move(event, place) {
    const items = [...place.querySelectorAll("[data-line]")];
    const at = items.indexOf(document.activeElement);
    if (at < 0) return;
    if (event.key === "Enter") this.chosen(at, place);
    const step = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: items.length - 1,
    };
    const next = items[step[event.key]];
    if (!next && event.key !== "Enter") return;
    event.preventDefault();
    if (!next) return;
    items[at].setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}
