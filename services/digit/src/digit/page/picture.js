/** A picture in full, in a dialog. */

import { button, h, show } from "../ui/script.js";
import { formatSure } from "./digitview.js";
import { NONE, saidOf } from "./rows.js";

export async function showPicture(row) {
  const place = h("div", { class: "picture-full" });
  const said = saidOf(row) === NONE ? "no digit" : `${saidOf(row)}, ${formatSure(row.confidence)} sure`;
  const dialog = h(
    "dialog",
    { class: "picture-dialog", "aria-labelledby": "picture-title" },
    h("h2", { id: "picture-title" }, row.name),
    h("p", { class: "muted" }, `Read as ${said}.`),
    place,
    h(
      "div",
      { class: "actions end" },
      button("Close", () => dialog.close(), "primary"),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  const url = URL.createObjectURL(await row.source.load());
  dialog.addEventListener("close", () => {
    URL.revokeObjectURL(url);
    dialog.remove();
  });
  show(place, h("img", { src: url, alt: row.name }));
}
