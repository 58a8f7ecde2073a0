/** Server-sent events over fetch: unlike EventSource it can send the API key. */

import { ProblemError, headersWithKey, problemOf, reportRefusal, resolve } from "./calls.js";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;
const SILENCE_MS = 45000; // three missed pings of 15 s: the connection is dead although nothing closed it

/** Cuts a text stream into events after the rules of the HTML standard (section 9.2.6). */
export function eventParser(emit, setRetry = () => {}) {
  let rest = "";
  let event = { type: "message", data: [], id: undefined };
  const line = (text) => {
    if (text === "") {
      if (event.data.length) emit({ type: event.type, data: event.data.join("\n"), id: event.id });
      event = { type: "message", data: [], id: event.id };
      return;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event.type = value;
    else if (name === "data") event.data.push(value);
    else if (name === "id") event.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) setRetry(Number(value));
  };
  return (chunk) => {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/); // a CR at the end may be half of a CRLF
    rest = lines.pop();
    lines.forEach(line);
  };
}

/**
 * Keeps a stream open until `stop()`: reconnects with back-off and resumes by Last-Event-ID.
 * `onEvent({type, data, id})`; `onState(state, detail)` with "connecting", "connected", "waiting" (detail: seconds), "stopped" (detail: error).
 */
export function openStream(path, { onEvent, onState, lastEventId = null }) {
  const run = {
    stopped: false,
    lastId: lastEventId,
    delay: FIRST_DELAY_MS,
    first: FIRST_DELAY_MS,
    abort: null,
    timer: null,
  };
  const attempt = async () => {
    onState("connecting");
    try {
      await readStream(path, run, onEvent, onState);
    } catch (error) {
      if (run.stopped) return;
      if (error instanceof ProblemError && error.status >= 400 && error.status < 500 && error.status !== 429) {
        onState("stopped", error);
        return;
      }
    }
    if (run.stopped) return;
    onState("waiting", Math.round(run.delay / 1000));
    run.timer = setTimeout(attempt, run.delay * (0.8 + 0.4 * Math.random()));
    run.delay = Math.min(run.delay * 2, LONGEST_DELAY_MS);
  };
  attempt();
  return {
    stop() {
      run.stopped = true;
      clearTimeout(run.timer);
      run.abort?.abort();
    },
  };
}

async function readStream(path, run, onEvent, onState) {
  run.abort = new AbortController();
  const headers = headersWithKey({ Accept: "text/event-stream" });
  if (run.lastId !== null) headers.set("Last-Event-ID", run.lastId);
  const response = await fetch(resolve(path), { headers, signal: run.abort.signal, cache: "no-store" });
  if (!response.ok) {
    const error = await problemOf(response);
    reportRefusal(error);
    throw error;
  }
  onState("connected");
  run.delay = run.first;
  const feed = eventParser(
    (event) => {
      if (event.id !== undefined) run.lastId = event.id;
      onEvent(event);
    },
    (milliseconds) => {
      run.first = Math.min(milliseconds, LONGEST_DELAY_MS);
    },
  );
  await pump(response.body.pipeThrough(new TextDecoderStream()).getReader(), run, feed);
}

async function pump(reader, run, feed) {
  for (;;) {
    const watchdog = setTimeout(() => run.abort.abort(), SILENCE_MS);
    try {
      const { value, done } = await reader.read();
      if (done) return;
      feed(value);
    } finally {
      clearTimeout(watchdog);
    }
  }
}
