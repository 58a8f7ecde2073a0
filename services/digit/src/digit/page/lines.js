/** NDJSON as it arrives: one document for each line. */

/** The connection ended within the answer, or what came is no NDJSON. */
export class StreamBroken extends Error {}

/** Yields the documents of a stream of bytes; throws StreamBroken, and AbortError where somebody stops it. */
export async function* readLines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await next(reader);
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.trim()) yield parse(line);
    }
    if (rest.trim()) yield parse(rest);
  } finally {
    reader.cancel().catch(() => {}); // already ended, or broken: its error was thrown above
  }
}

async function next(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new StreamBroken("the connection ended", { cause: error });
  }
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new StreamBroken("a line is not JSON", { cause: error });
  }
}
