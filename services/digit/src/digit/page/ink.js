/** Papers, pens, and strokes painted onto a canvas: the same on the screen and in the picture that is sent. */

import { UNITS } from "./drawing.js";

const LINES = 8; // ruled lines, or squares, over the height of a paper
const WRITING = "#9cb8d6";

/** `ink` gives the colour of each pen on this paper; `ruling` names the lines printed on it. */
const LIGHT_INK = { ink: "#14181d", blue: "#1d4fc4", red: "#c3201f", green: "#14713a" };
const DARK_INK = { ink: "#f2f5f8", blue: "#8ab8ff", red: "#ff9188", green: "#7fdc9b" };
export const PAPERS = {
  white: { name: "White", ground: "#ffffff", ink: LIGHT_INK },
  dark: { name: "Dark", ground: "#12171d", ink: DARK_INK },
  ruled: { name: "Ruled", ground: "#fffdf6", ink: LIGHT_INK, ruling: "lines" },
  squared: { name: "Squared", ground: "#fffdf6", ink: LIGHT_INK, ruling: "squares" },
};
export const PENS = { ink: "Ink", blue: "Blue", red: "Red", green: "Green" };

/** Paints a paper and its strokes; `scale` is in pixels per unit, the context is at its origin. */
export function paint(context, { paper, strokes }, scale) {
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = PAPERS[paper].ground;
  context.fillRect(0, 0, width, height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  paintRuling(context, PAPERS[paper].ruling, width / scale);
  for (const stroke of strokes) paintStroke(context, stroke, paper);
}

function paintRuling(context, ruling, width) {
  if (!ruling) return;
  const step = UNITS / LINES;
  context.strokeStyle = WRITING;
  context.lineWidth = UNITS / 250;
  context.beginPath();
  for (let y = step; y < UNITS; y += step) {
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  for (let x = step; ruling === "squares" && x < width; x += step) {
    context.moveTo(x, 0);
    context.lineTo(x, UNITS);
  }
  context.stroke();
}

/** A stroke of one width is one path, so that its edge is smooth; a pen's pressure makes each piece a path of its own. */
function paintStroke(context, { colour, points }, paper) {
  context.strokeStyle = PAPERS[paper].ink[colour];
  context.lineCap = "round";
  context.lineJoin = "round";
  const isEven = points.every(({ width }) => width === points[0].width);
  const pieces = isEven ? [points] : points.slice(1).map((_, index) => points.slice(Math.max(0, index - 1), index + 2));
  for (const piece of pieces) paintPiece(context, piece, piece.length === points.length);
}

const between = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

/** A curve from middle to middle of neighbouring points, bent by the point between them: no corner is left in it. */
function paintPiece(context, points, isWhole) {
  const [first, last] = [points[0], points.at(-1)];
  const start = isWhole || points.length < 3 ? first : between(first, points[1]);
  context.lineWidth = (points.at(-2) ?? last).width;
  context.beginPath();
  context.moveTo(start.x, start.y);
  for (let index = 1; index < points.length - 1; index += 1) {
    const end = between(points[index], points[index + 1]);
    context.quadraticCurveTo(points[index].x, points[index].y, end.x, end.y);
  }
  context.lineTo(last.x, last.y);
  context.stroke();
}

/** The picture of a drawing as it is sent: `height` pixels high, `ratio` times as wide. */
export function picture(drawn, ratio, height) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(height * ratio);
  canvas.height = height;
  paint(canvas.getContext("2d"), drawn, height / UNITS);
  return canvas;
}
