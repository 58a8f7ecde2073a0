/** Files that come in by a drop (with the folders in it), by the file dialogs, or pasted: [{file, path}]. */

const FOLDER_LEFTOVERS = /(^|\/)(__MACOSX\/|\._|(\.DS_Store|Thumbs\.db|desktop\.ini)$)/i;

/** Tells whether a path is what operating systems leave in folders: no file of anybody's. */
export const isLeftover = (path) => FOLDER_LEFTOVERS.test(path);

/** The files of a drop or a paste; must be called within its event. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const found = entries.length ? await walkAll(entries) : fromList(transfer.files);
  return found.filter(({ path }) => !isLeftover(path));
}

/** The files of an `<input type="file">`, folders included. */
export function fromList(files) {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ path }) => !isLeftover(path));
}

async function walkAll(entries) {
  const found = [];
  for (const entry of entries) found.push(...(await walk(entry)));
  return found;
}

async function walk(entry) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a hundred at a time, at most
    if (!some.length) return found;
    found.push(...(await walkAll(some.sort((a, b) => (a.name < b.name ? -1 : 1)))));
  }
}
