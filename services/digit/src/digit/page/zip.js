/**
 * Reads a ZIP in the browser, for its pictures' thumbnails alone: what is in an archive is the service's to say.
 * After PKWARE's APPNOTE 6.3.10. Stored and deflated entries; no ZIP64, no encryption.
 */

const END = 0x06054b50;
const HEADER = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65535;
const HEADER_BYTES = 46;
const LOCAL_BYTES = 30;
const UTF8 = 1 << 11;
const ENCRYPTED = 1;
const MOST_BYTES = 32 * 1024 * 1024; // of one entry: a bomb is a bomb in a browser too
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** Tells whether a file begins as ZIPs do, whatever it is called. */
export async function isZip(blob) {
  const view = await viewOf(blob.slice(0, 4));
  return view.byteLength === 4 && [LOCAL, END].includes(view.getUint32(0, true));
}

/** The entries that are files, in the order of the directory: [{name, method, packed, offset}]. Throws on what is no plain ZIP. */
export async function readDirectory(blob) {
  const tail = await viewOf(blob.slice(-(END_BYTES + LONGEST_COMMENT)));
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && !isEnd(tail, at)) at -= 1;
  if (at < 0) throw new Error("the end of the directory is missing");
  const [count, size, start] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ];
  const directory = await viewOf(blob.slice(start, start + size));
  return [...headers(directory, count)].filter(({ name }) => !/[/\\]$/.test(name));
}

/** The archive's comment, which ends it, may hold the same four bytes: its length tells which are meant. */
const isEnd = (tail, at) =>
  tail.getUint32(at, true) === END && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength;

function* headers(view, count) {
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    if (view.getUint32(at, true) !== HEADER) throw new Error("the directory is broken");
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const flags = view.getUint16(at + 8, true);
    yield {
      name: decodeName(new Uint8Array(view.buffer, at + HEADER_BYTES, nameBytes), flags),
      encrypted: (flags & ENCRYPTED) !== 0,
      method: view.getUint16(at + 10, true),
      packed: view.getUint32(at + 20, true),
      offset: view.getUint32(at + 42, true),
    };
    at += HEADER_BYTES + nameBytes + extraBytes + commentBytes;
  }
}

/** One entry unpacked; throws where it is encrypted, packed in another way, broken, or larger than 32 MiB. */
export async function readEntry(blob, { method, packed, offset, encrypted }) {
  const local = await viewOf(blob.slice(offset, offset + LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL || encrypted) throw new Error("the entry cannot be read");
  const start = offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  const data = blob.slice(start, start + packed);
  if (method === 0) return data;
  if (method !== 8) throw new Error(`the entry is packed by method ${method}`);
  return collect(data.stream().pipeThrough(new DecompressionStream("deflate-raw")));
}

async function collect(stream) {
  const parts = [];
  let bytes = 0;
  for (const reader = stream.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) return new Blob(parts);
    bytes += value.length;
    parts.push(value);
    if (bytes > MOST_BYTES) {
      await reader.cancel();
      throw new Error("the entry is too large");
    }
  }
}

async function viewOf(blob) {
  return new DataView(await blob.arrayBuffer());
}

/** As the service reads names: UTF-8 where they are that, whatever the flag says; else the code page of the first PCs. */
function decodeName(bytes, flags) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    if (flags & UTF8) return new TextDecoder().decode(bytes);
    return Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join("");
  }
}
