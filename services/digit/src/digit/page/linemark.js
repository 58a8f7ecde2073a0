/** The state of the socket as a mark: what it means for whoever draws. */

import { mark, show } from "../ui/script.js";

const SAID = {
  open: ["connected", "live", "Each change of the drawing is read at once, over a WebSocket."],
  connecting: ["pending", "connecting", "The WebSocket is being opened; until then each stroke is read when it ends."],
  waiting: ["warning", "by stroke", "No WebSocket at the moment: each stroke is read when it ends."],
  resting: ["none", "by stroke", "The WebSocket was closed because nobody drew; the next stroke opens it again."],
};

export function lineMark(place, state) {
  const [kind, text, title] = SAID[state];
  place.title = title;
  place.dataset.line = state;
  show(place, mark(kind, text));
}
