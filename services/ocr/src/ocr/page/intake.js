/** Files that come in by a drop anywhere on the page, by the file dialog, or pasted. */

const PASTED = "image.png"; // what browsers call every picture of the clipboard
const LEFTOVERS = /^(\._.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

/** Calls `taken(files)` for each intake; `zone` shows that a drop would be taken. */
export function listenForFiles({ zone, input, chooser, taken }) {
  const take = (files) => files.length && taken(files);
  chooser.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // the same file can be chosen again
  });
  listenToDrops(zone, take);
  listenToPaste(take);
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
    take(files.map(named));
  });
}

/** The files of a drop, those in folders included; must be called within its event. */
async function filesOf(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.length ? await walkAll(entries) : [...transfer.files];
  return files.filter(({ name }) => !LEFTOVERS.test(name));
}

async function walkAll(entries) {
  const found = [];
  for (const entry of entries) found.push(...(await walk(entry)));
  return found;
}

async function walk(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a hundred at a time, at most
    if (!some.length) return found;
    found.push(...(await walkAll(some.sort((a, b) => (a.name < b.name ? -1 : 1)))));
  }
}
