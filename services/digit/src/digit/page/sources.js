/** What a batch is made of: single files, and archives with their entries; each picture with a name of its own. */

import { isLeftover } from "./intake.js";
import { isZip, readDirectory, readEntry } from "./zip.js";

const MOST_FILES = 200; // in one call
const MOST_BYTES = 8 * 1024 * 1024;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const LONGEST_NAME = 255;
const [HEAD, TAIL] = [200, 54]; // of a name that is too long: its ending says what it is

/** What is sent at once: some single files, or one archive. `answered` counts the pictures whose lines have come. */
class Call {
  constructor(sources, archive = null) {
    this.sources = sources;
    this.archive = archive;
    this.answered = 0;
    this.cursor = 0;
    this.bytes = 0;
  }

  hasRoomFor(file) {
    return this.sources.length < MOST_FILES && this.bytes + file.size <= MOST_BYTES;
  }

  push(file, path) {
    this.sources.push({ ...partsOf(path), file, load: async () => file });
    this.bytes += file.size;
  }

  /** What has to be sent: [{file, name}], the names kept apart already. */
  files() {
    if (this.archive) return [{ file: this.archive.file, name: this.archive.path }];
    return this.sources.slice(this.answered);
  }

  /** Two calls with half of the files each; null where there is nothing to halve. */
  halves() {
    const rest = this.sources.slice(this.answered);
    if (this.archive || rest.length < 2) return null;
    const middle = Math.ceil(rest.length / 2);
    return [new Call(rest.slice(0, middle)), new Call(rest.slice(middle))];
  }

  /** The entry of an archive that a line speaks of: the next of its base name. The lines come in the entries' order. */
  entryFor(name) {
    const base = name.split("/").at(-1);
    const at = this.sources.findIndex((source, index) => index >= this.cursor && source.base === base);
    if (at < 0) return undefined;
    this.cursor = at + 1;
    return this.sources[at];
  }
}

/**
 * Turns files into calls. An archive is a call of its own; single files go together as far as `MOST_FILES` and
 * `MOST_BYTES` allow. Each source is {name, load()}; `taken` holds the names in use and gets the new ones.
 */
export async function callsOf(picked, taken) {
  const calls = [];
  let open = null;
  for (const { file, path } of picked) {
    if (await isZip(file)) {
      calls.push(await archiveCall(file, path));
      open = null; // rows keep the order of the files
    } else {
      if (!open?.hasRoomFor(file)) calls.push((open = new Call([])));
      open.push(file, path);
    }
  }
  const sources = calls.flatMap((call) => call.sources);
  keepApart(sources, taken);
  return calls;
}

/** An archive whose directory cannot be read here goes to the service all the same: it says what is wrong with it. */
async function archiveCall(file, path) {
  const entries = await readDirectory(file).catch(() => []);
  const sources = entries
    .filter(({ name }) => !isLeftover(name))
    .map((entry) => ({ ...partsOf(entry.name, path), load: () => readEntry(file, entry) }));
  return new Call(sources, { file, path });
}

function partsOf(named, archive = null) {
  const path = clean(named.replaceAll("\\", "/"));
  return { base: path.split("/").at(-1), path, archive };
}

/** A name that is safe to show, as the service makes it: no control characters, none that turn the direction of writing. */
function clean(name) {
  const characters = Array.from(name.replace(UNPRINTABLE, "\ufffd"));
  if (characters.length <= LONGEST_NAME) return characters.join("");
  return [...characters.slice(0, HEAD), "…", ...characters.slice(-TAIL)].join("");
}

/** Names as the service keeps them apart: the base name, else the path, else the archive's name before it, else numbered. */
export function keepApart(sources, taken) {
  const ways = [({ base }) => base, ({ path }) => path, ({ path, archive }) => (archive ? `${archive}/${path}` : path)];
  let rest = sources;
  for (const way of ways) {
    const counts = new Map();
    for (const source of rest) counts.set(way(source), (counts.get(way(source)) ?? 0) + 1);
    const isFree = (source) => counts.get(way(source)) === 1 && !taken.has(way(source));
    const apart = rest.filter(isFree);
    rest = rest.filter((source) => !isFree(source));
    for (const source of apart) taken.add((source.name = way(source)));
  }
  for (const source of rest) source.name = numbered(ways.at(-1)(source), taken);
}

/** `name`, or `name (2)` and so on: the first that is not taken; it is taken then. */
export function numbered(name, taken) {
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} (${number})`;
  taken.add(free);
  return free;
}
