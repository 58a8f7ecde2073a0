/** One digit as read: large, with how sure it is, and the probability of each of the ten. */

import { formatPercent, h, mark, show } from "../ui/script.js";

const SURE = 0.9;

/** "99.8 %": a tenth of a percent matters near the top, and 100 % is never said of what is not. */
export function formatSure(confidence) {
  const percent = Math.min(100 * confidence, 99.99);
  if (percent < 90) return formatPercent(confidence);
  return `${percent < 99.9 ? percent.toFixed(1) : percent.toFixed(2)} %`;
}

/** The answer in words, for the page and for screen readers. */
export function inWords({ prediction, confidence, is_digit: isDigit }) {
  if (prediction === null) return "Blank: no ink was found";
  if (!isDigit) return `No digit; it looks most like ${prediction}`;
  return `${prediction}, ${formatSure(confidence)} sure`;
}

export class DigitView {
  constructor(place) {
    this.place = place;
    this.digit = h("p", { class: "verdict-digit", "aria-hidden": "true" });
    this.words = h("div", { class: "verdict-words" });
    this.rows = Array.from({ length: 10 }, (_, digit) => oddsRow(digit));
    const body = h(
      "tbody",
      null,
      this.rows.map(({ row }) => row),
    );
    const caption = h("caption", { class: "visually-hidden" }, "Probability of each digit");
    show(place, h("div", { class: "verdict" }, this.digit, this.words), h("table", { class: "odds" }, caption, body));
    this.clear();
  }

  clear() {
    this.place.dataset.state = "blank";
    show(this.digit, "–");
    show(
      this.words,
      h("p", { class: "verdict-text" }, "Blank"),
      h("p", { class: "hint" }, "What you draw is read as you draw it."),
    );
    this.showOdds(Array(10).fill(0), null);
  }

  /** Shows an answer and returns it in words. */
  show(answer) {
    const { prediction, confidence, is_digit: isDigit, probabilities } = answer;
    if (prediction === null) {
      this.clear();
      return inWords(answer);
    }
    this.place.dataset.state = isDigit ? "digit" : "none";
    show(this.digit, isDigit ? String(prediction) : "?");
    show(this.words, isDigit ? sureWords(confidence) : noneWords(prediction));
    this.showOdds(probabilities, prediction);
    return inWords(answer);
  }

  showOdds(probabilities, best) {
    this.rows.forEach(({ row, length, value }, digit) => {
      const share = probabilities[digit];
      row.classList.toggle("best", digit === best);
      length.style.width = `${100 * share}%`;
      value.textContent = best === null ? "–" : oddsText(share);
    });
  }
}

function oddsRow(digit) {
  const length = h("span", { class: "bar-length" });
  const value = h("td", { class: "num" });
  const track = h("td", { class: "odds-bar", "aria-hidden": "true" }, h("span", { class: "bar-track" }, length));
  return { length, value, row: h("tr", null, h("th", { scope: "row" }, String(digit)), track, value) };
}

const oddsText = (share) => (share < 0.0005 ? "0 %" : share > 0.9995 ? "100 %" : `${(100 * share).toFixed(1)} %`);

const sureWords = (confidence) => [
  h("p", { class: "verdict-text" }, `${formatSure(confidence)} sure`),
  confidence < SURE && h("p", null, mark("minor", "not sure")),
];

const noneWords = (prediction) => [
  h("p", { class: "verdict-text" }, mark("warning", "no digit")),
  h("p", { class: "hint" }, `Of the ten it looks most like ${prediction}.`),
];
