/** Sending a file with its progress: XMLHttpRequest tells how much has left, `fetch` does not. */

import { ProblemError, headersWithKey, reportRefusal, resolve } from "../ui/script.js";

const TRIES = 4;
const MOST_WAIT_S = 30;
const BUSY = [429, 503]; // come back later, says `Retry-After`

const UNREACHED = {
  title: "Service out of reach",
  detail: "The service could not be reached. Is it running, and is the network up?",
};

/** Sends one file as a form's `file`; `progressed(share)` hears 0 to 1. Resolves to the answer; throws ProblemError. */
export function sendFile(path, file, name, progressed) {
  const form = new FormData();
  form.append("file", file, name);
  const request = new XMLHttpRequest();
  request.open("POST", resolve(path));
  for (const [header, value] of headersWithKey({ Accept: "application/json" })) request.setRequestHeader(header, value);
  request.upload.addEventListener("progress", ({ loaded, total }) => progressed(total ? loaded / total : 0));
  return new Promise((done, failed) => {
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status < 300 && answer) return done(answer);
      const error = problemOf(request);
      reportRefusal(error);
      return failed(error);
    });
    request.addEventListener("error", () => failed(new ProblemError(0, UNREACHED)));
    request.send(form);
  });
}

/** The problem that an answer tells; one without a JSON body (a proxy's page) is told by its status. */
function problemOf(request) {
  const { status, statusText } = request;
  const unsaid = { title: `HTTP status ${status}`, detail: `The server answered ${status} ${statusText}`.trim() + "." };
  return new ProblemError(status, parsed(request.responseText) ?? unsaid, request.getResponseHeader("retry-after"));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Runs a call, and again for as long as the service asks to come back soon. */
export async function patiently(call) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const wait = Number(error.retryAfter);
      if (!BUSY.includes(error.status) || !(wait > 0 && wait <= MOST_WAIT_S) || tries === TRIES) throw error;
      await new Promise((done) => setTimeout(done, wait * 1000));
    }
  }
}
