/** Files that come in by a drop anywhere on the page (with the folders in it), by the file dialogs, or pasted. */

const PASTED = "image.png"; // what browsers call every picture of the clipboard
const LEFTOVERS = /(^|\/)(__MACOSX\/|\._|(\.DS_Store|Thumbs\.db|desktop\.ini)$)/i;

/** Tells whether a path is what operating systems leave in folders: no file of anybody's. */
export const isLeftover = (path) => LEFTOVERS.test(path);

/**
 * Calls `taken([{file, path}])` for each intake. `zone` shows that a drop would be taken; `dialogs` are
 * [button, `<input type="file">`] each.
 */
export function listenForFiles({ zone, dialogs, taken }) {
  const take = (found) => {
    const files = found.filter(({ path }) => !isLeftover(path));
    if (files.length) taken(files);
  };
  for (const [chooser, input] of dialogs) listenToDialog(chooser, input, take);
  listenToDrops(zone, take);
  listenToPaste(take);
}

function listenToDialog(chooser, input, take) {
  chooser.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(fromList(input.files));
    input.value = ""; // the same file can be chosen again
  });
}

/** A drop anywhere is meant for the service; elsewhere the browser would leave the page for the file. */
function listenToDrops(zone, take) {
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.add("over");
  });
  addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || zone.classList.remove("over"));
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    zone.classList.remove("over");
    take(await filesOf(event.dataTransfer));
  });
}

function listenToPaste(take) {
  let count = 0;
  const named = (file) =>
    file.name === PASTED ? new File([file], `pasted-${++count}.png`, { type: file.type }) : file;
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(fromList(files.map(named)));
  });
}

const fromList = (files) => [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/** The files of a drop, those in folders included; must be called within its event. */
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return entries.length ? walkAll(entries) : fromList(transfer.files);
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
