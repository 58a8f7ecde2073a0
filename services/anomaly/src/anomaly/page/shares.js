/** The share of each sensor in a score, the largest first. */

import { bars, formatShare, h } from "../ui/script.js";

/** A titled list of bars, at most `most`; null where there are no contributions. */
export function sharesOf(title, contributions, most = 16) {
  if (!contributions?.length) return null;
  const largest = [...contributions].sort((a, b) => b.contribution - a.contribution).slice(0, most);
  const items = largest.map(({ sensor, contribution }) => ({
    name: sensor,
    share: contribution,
    text: formatShare(contribution),
  }));
  return h("div", { class: "tight" }, h("h3", null, title), bars(items, title));
}
