/** NDJSON as it arrives: one document for each line. */

/** The connection ended within the answer, or what came is no NDJSON. */
export class StreamBroken extends Error {}

/** Yields the documents of a stream of bytes; throws StreamBroken, and AbortError where somebody stops it. */
export async function* readLines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const parts = []; // of the line that has not ended yet: a page may be some megabytes long
  try {
    for (;;) {
      const { value, done } = await next(reader);
      if (done) break;
      const [first, ...others] = value.split("\n");
      parts.push(first);
      for (const start of others) {
        const line = parts.splice(0).join("");
        parts.push(start);
        if (line.trim()) yield parse(line);
      }
    }
    const rest = parts.join("");
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
