/** What is drawn, read by the service: over the socket where it is open, else by a call for each drawing. */

import { ProblemError, api } from "../ui/script.js";
import { Line, LineLost } from "./line.js";

const BLANK = { prediction: null, is_digit: false, confidence: 0 };
const is = (error, slug) => error.problem?.type?.endsWith(slug) ?? false;

export class Reader {
  /** `changed(state)` hears the states of the line. */
  constructor(changed) {
    this.line = new Line("ws", changed);
  }

  /** Reads a canvas; resolves to the answer with its `via` and the `ms` it took. Throws ProblemError. */
  async read(canvas, model) {
    const began = performance.now();
    const answer = await this.answer(canvas, model);
    return { ...answer, ms: performance.now() - began };
  }

  async answer(canvas, model) {
    if (this.line.isOpen) {
      try {
        return { ...(await this.ask(canvas, model)), via: "socket" };
      } catch (error) {
        if (!(error instanceof LineLost)) throw error;
      }
    }
    const answer = await this.post(canvas, model);
    this.line.wake();
    return { ...answer, via: "call" };
  }

  async ask(canvas, model) {
    const image = canvas.toDataURL("image/png");
    const answer = await this.line.ask({ image, detail: true, ...(model && { model }) });
    if (answer.error) throw new ProblemError(422, { title: "The drawing could not be read", detail: answer.error });
    return answer;
  }

  async post(canvas, model) {
    try {
      return await api(`predict?${query(model)}detail=true`, { method: "POST", body: await form(canvas) });
    } catch (error) {
      if (is(error, "no-ink")) return BLANK;
      throw error;
    }
  }
}

/** Reads a number of several digits; null where there is none. Throws ProblemError. */
export async function readNumber(canvas, model) {
  const began = performance.now();
  try {
    const answer = await api(`predict_number?${query(model)}detail=true`, { method: "POST", body: await form(canvas) });
    return { ...answer, ms: performance.now() - began };
  } catch (error) {
    if (is(error, "no-ink") || is(error, "no-digits")) return null;
    throw error;
  }
}

export const query = (model) => (model ? `model=${encodeURIComponent(model)}&` : "");

async function form(canvas) {
  const body = new FormData();
  const blob = await new Promise((made) => canvas.toBlob(made, "image/png"));
  body.append("file", blob, "drawing.png");
  return body;
}
