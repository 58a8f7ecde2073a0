/** Quadrilaterals of the answers as SVG: [[x, y] × 4], the text's own top left first, then clockwise as it reads. */

/** The `points` of a polygon. */
export const pointsOf = (bbox) => bbox.map(([x, y]) => `${x},${y}`).join(" ");

const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

/** Where a line of text lies: its length and height in pixels, and the transform that sets it there. */
export function placeOf([topLeft, topRight, bottomRight, bottomLeft]) {
  const length = (distance(topLeft, topRight) + distance(bottomLeft, bottomRight)) / 2;
  const height = (distance(topLeft, bottomLeft) + distance(topRight, bottomRight)) / 2;
  const degrees = (Math.atan2(topRight[1] - topLeft[1], topRight[0] - topLeft[0]) * 180) / Math.PI;
  return { length, height, transform: `translate(${topLeft[0]} ${topLeft[1]}) rotate(${degrees})` };
}

/** The upright rectangle around it: x, y, width, height. */
export function boundsOf(bbox) {
  const xs = bbox.map(([x]) => x);
  const ys = bbox.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}
