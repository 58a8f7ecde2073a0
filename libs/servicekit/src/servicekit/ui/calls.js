/** Calls to the service with the API key, and their problems shown as text. */

import { button, h, show } from "./elements.js";

const KEY = "lineside-api-key";
const bus = new EventTarget();

/** An answer that is not a success, or no answer at all (status 0). */
export class ProblemError extends Error {
  constructor(status, problem, retryAfter = null) {
    super(problem.detail ?? problem.error ?? problem.title ?? `HTTP status ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** A path relative to the service's root, whatever prefix it is served under. */
export function resolve(path) {
  return new URL(path.replace(/^\//, ""), document.baseURI);
}

export function apiKey() {
  return sessionStorage.getItem(KEY) ?? "";
}

/** Keeps the key for this tab only; an empty one forgets it. */
export function setApiKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
  bus.dispatchEvent(new Event("key"));
}

export function headersWithKey(initial) {
  const headers = new Headers(initial);
  if (apiKey()) headers.set("X-API-Key", apiKey());
  return headers;
}

/** "key" (a key was set or forgotten), "refused" (401 or 403), "offline" and "online" (the service cannot, can be reached). */
export function on(name, listener) {
  bus.addEventListener(name, listener);
}

/** The problem in a refused response; one without a JSON body (a proxy's page) is told by its status. */
export async function problemOf(response) {
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const problem = (isJson && (await response.json().catch(() => null))) || {
    title: `HTTP status ${response.status}`,
    detail: `The server answered ${response.status} ${response.statusText}`.trim() + ".",
  };
  problem.request_id ??= response.headers.get("x-request-id") ?? undefined;
  return new ProblemError(response.status, problem, response.headers.get("retry-after"));
}

/** Tells the key field of a 401 or 403. */
export function reportRefusal(error) {
  if (error.status === 401 || error.status === 403) bus.dispatchEvent(new CustomEvent("refused", { detail: error }));
}

/**
 * Calls the service. `json` is sent as JSON, `body` as it is; the answer is parsed JSON, null for 204,
 * or the Response itself with `raw`. Throws ProblemError for everything that is not a 2xx.
 */
export async function api(path, { json, body, headers, raw = false, ...options } = {}) {
  const all = headersWithKey({ Accept: "application/json", ...headers });
  if (json !== undefined) all.set("Content-Type", "application/json");
  let response;
  try {
    response = await fetch(resolve(path), {
      cache: "no-store",
      ...options,
      headers: all,
      body: json === undefined ? body : JSON.stringify(json),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    bus.dispatchEvent(new Event("offline"));
    throw new ProblemError(0, {
      title: "Service out of reach",
      detail: "The service could not be reached. Is it running, and is the network up?",
    });
  }
  bus.dispatchEvent(new Event("online"));
  if (!response.ok) {
    const error = await problemOf(response);
    reportRefusal(error);
    throw error;
  }
  if (raw) return response;
  return response.status === 204 ? null : response.json();
}

/** All items of a list, page by page, at most `most`. */
export async function everyItem(path, most = 2000) {
  const items = [];
  let cursor = null;
  do {
    const target = resolve(path);
    if (cursor) target.searchParams.set("cursor", cursor);
    const page = await api(target.href.slice(document.baseURI.length));
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor && items.length < most);
  return items;
}

/** An error as a box: what was wrong in the server's words, and the request id for whoever reads the logs. */
export function problemBox(error, retry) {
  const { title = "That did not work", request_id: id } = error.problem ?? {};
  const wait = error.retryAfter ? ` The server asks to wait ${error.retryAfter} s.` : "";
  return h(
    "div",
    { class: "problem", role: "alert" },
    h("strong", null, title),
    h("p", null, error.message + wait),
    id && h("p", { class: "hint" }, "Request id ", h("code", null, id)),
    retry && button("Try again", retry, "small"),
  );
}

/** Runs `load` and shows its problem in `place`, with a button that tries again. */
export async function guarded(place, load) {
  try {
    return await load();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    if (!(error instanceof ProblemError)) throw error;
    show(
      place,
      problemBox(error, () => guarded(place, load)),
    );
    return undefined;
  }
}

/** Hands a blob to the user as a file. */
export function saveFile(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Downloads a path of the service with the key sent along. */
export async function download(path, name, headers = {}) {
  const response = await api(path, { headers, raw: true });
  saveFile(await response.blob(), name);
}

/** Connects the key field and the offline bar of a page: `#key-bar` (hidden form), `#offline-bar`, and `[data-key-toggle]` buttons. */
export function connectBars() {
  const bar = document.querySelector("#key-bar");
  const input = bar.querySelector("input");
  const message = bar.querySelector("p");
  const open = (text) => {
    show(message, text);
    input.value = apiKey();
    bar.hidden = false;
  };
  on("refused", ({ detail }) =>
    open(
      `${detail.status === 401 ? "This call needs an API key." : "This key may not do that; a key with more rights is needed."} ${detail.message}`,
    ),
  );
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    bar.hidden = true;
    setApiKey(input.value.trim());
  });
  bar.querySelector("[data-close]").addEventListener("click", () => {
    bar.hidden = true;
  });
  for (const toggle of document.querySelectorAll("[data-key-toggle]")) {
    toggle.addEventListener("click", () => {
      open("The key is kept in this browser tab only and forgotten when the tab is closed.");
      input.focus();
    });
  }
  const offline = document.querySelector("#offline-bar");
  on("offline", () => {
    offline.hidden = false;
  });
  on("online", () => {
    offline.hidden = true;
  });
}

/** The curl line for a call, with the key as a variable where one is in use. */
export function curlLine(method, path, body) {
  const target = resolve(path).href.replace(/\/(\?|$)/, "$1");
  const key = apiKey() ? ` -H "X-API-Key: $LINESIDE_KEY"` : "";
  const data =
    body === undefined
      ? ""
      : ` \\\n  -H 'Content-Type: application/json' -d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`;
  return `curl -X ${method} '${target}'${key}${data}`;
}

/**
 * Calls `action` now and then every `everyMs` while the page is visible, less often while it fails; returns a function
 * that stops it. A refused key ends it until another key is given.
 */
export function poll(action, everyMs) {
  let stopped = false;
  let timer = null;
  let failures = 0;
  const turn = async () => {
    clearTimeout(timer);
    if (stopped) return;
    if (document.hidden) {
      document.addEventListener("visibilitychange", turn, { once: true });
      return;
    }
    try {
      await action();
      failures = 0;
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      failures += 1;
      if (error.status === 401 || error.status === 403) {
        bus.addEventListener("key", turn, { once: true });
        return;
      }
    }
    timer = setTimeout(turn, everyMs * Math.min(2 ** failures, 8));
  };
  turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
