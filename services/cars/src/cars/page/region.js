/** A picture with the region that was read drawn over it. */

import { h, s } from "../ui/script.js";
import { pictureOf } from "./picture.js";

/** The picture of a file, with its region where it has one. */
export function framed(file, kind = "thumbnail") {
  const alt = file.filename;
  const place = h("div", { class: "framed" }, pictureOf(file, kind, alt), file.region && outline(file));
  place.style.maxWidth = `calc(17.5rem * ${file.width / file.height})`;
  place.style.aspectRatio = `${file.width} / ${file.height}`;
  return place;
}

const outline = ({ width, height, region }) =>
  s("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, rectangles(region));

/** A rectangle twice: a light one below a dark one can be seen on every ground. */
export function rectangles({ x, y, width, height }) {
  return ["halo", "edge"].map((kind) => s("rect", { class: kind, x, y, width, height }));
}

/** The rectangle between two corners, in whole pixels within the picture; at least one pixel. */
export function between([ax, ay], [bx, by], { width, height }) {
  const within = (value, most) => Math.max(0, Math.min(Math.round(value), most));
  const [left, right] = [within(Math.min(ax, bx), width - 1), within(Math.max(ax, bx), width)];
  const [top, bottom] = [within(Math.min(ay, by), height - 1), within(Math.max(ay, by), height)];
  return { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) };
}

/** What is left of a rectangle that somebody typed: whole pixels, within the picture. */
export function fitted({ x, y, width, height }, size) {
  return between([x, y], [x + width, y + height], size);
}
