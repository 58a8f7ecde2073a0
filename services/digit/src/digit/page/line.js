/** A web socket to the service that is kept open: questions by id, back-off between attempts, rest when nobody draws. */

import { apiKey, on, resolve } from "../ui/script.js";

const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30000;
const ANSWER_MS = 5000; // a connection that is silent for longer is dead although nothing closed it
const GOING_AWAY = 1001; // the service closes what nobody used for minutes

/** Thrown to whoever waits for an answer that will not come over this socket. */
export class LineLost extends Error {}

export class Line {
  /** `changed(state)` hears "connecting", "open", "resting" and "waiting" (for the next attempt). */
  constructor(path, changed) {
    this.path = path;
    this.changed = changed;
    this.state = "resting";
    this.socket = null;
    this.timer = null;
    this.delay = FIRST_DELAY_MS;
    this.asked = new Map();
    this.lastId = 0;
    on("key", () => this.restart());
    on("refused", () => this.rest());
  }

  get isOpen() {
    return this.state === "open";
  }

  /** Connects if nothing else is under way; for whoever knows that the service answers calls. */
  wake() {
    if (this.state === "resting") this.connect();
  }

  /** Begins anew: with another key, say. */
  restart() {
    if (this.state === "resting") return;
    this.delay = FIRST_DELAY_MS;
    this.close();
    this.connect();
  }

  /** Stops trying, until somebody wakes it. */
  rest() {
    clearTimeout(this.timer);
    if (this.state === "waiting") this.become("resting");
  }

  /** Sends a question; resolves to its answer, or rejects with LineLost. */
  ask(question) {
    const id = String((this.lastId += 1));
    return new Promise((answered, lost) => {
      const timer = setTimeout(() => this.lose(), ANSWER_MS);
      this.asked.set(id, { answered, lost, timer });
      this.socket.send(JSON.stringify({ ...question, id }));
    });
  }

  connect() {
    clearTimeout(this.timer);
    this.become("connecting");
    try {
      this.socket = new WebSocket(address(this.path), subprotocols());
    } catch {
      this.retry(); // a key with characters that a handshake cannot carry: calls will say what is wrong with it
      return;
    }
    const { socket } = this;
    const current = (listener) => (event) => socket === this.socket && listener(event);
    socket.addEventListener(
      "open",
      current(() => this.opened()),
    );
    socket.addEventListener(
      "message",
      current(({ data }) => this.heard(JSON.parse(data))),
    );
    socket.addEventListener(
      "close",
      current(({ code }) => this.closed(code)),
    );
  }

  opened() {
    this.delay = FIRST_DELAY_MS;
    this.become("open");
  }

  heard(answer) {
    const waiting = this.asked.get(answer.id);
    if (!waiting) return;
    this.asked.delete(answer.id);
    clearTimeout(waiting.timer);
    waiting.answered(answer);
  }

  closed(code) {
    this.forget();
    if (code === GOING_AWAY) this.become("resting");
    else this.retry();
  }

  /** Gives a silent connection up. */
  lose() {
    this.close();
    this.retry();
  }

  close() {
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.forget();
  }

  /** Tells everybody who waits that no answer comes. */
  forget() {
    for (const { lost, timer } of this.asked.values()) {
      clearTimeout(timer);
      lost(new LineLost("the connection was lost"));
    }
    this.asked.clear();
  }

  retry() {
    this.become("waiting");
    this.timer = setTimeout(() => this.again(), this.delay * (0.8 + 0.4 * Math.random()));
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY_MS);
  }

  /** A page that nobody sees does not knock. */
  again() {
    if (document.hidden) this.become("resting");
    else this.connect();
  }

  become(state) {
    this.state = state;
    this.changed(state);
  }
}

function address(path) {
  const target = resolve(path);
  target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
  return target;
}

/** A handshake cannot carry headers from a browser; the key goes as a subprotocol. */
const subprotocols = () => (apiKey() ? ["lineside", `lineside.key.${apiKey()}`] : []);
