/** The forms in which a reading can be had, and the names of their files. */

import { api, saveFile } from "../ui/script.js";

const FORMATS = [
  { name: "json", text: "JSON", suffix: ".json" },
  { name: "text", text: "Text", suffix: ".txt" },
  { name: "markdown", text: "Markdown", suffix: ".md" },
  { name: "hocr", text: "hOCR", suffix: ".hocr" },
  { name: "alto", text: "ALTO", suffix: ".alto.xml" },
  { name: "pdf", text: "Searchable PDF", suffix: ".searchable.pdf" },
];

/** What can be had of a reading: of one that did not come to its end only what the page itself holds. */
export const formatsOf = ({ state }) => (state === "succeeded" ? FORMATS : FORMATS.slice(0, 1));

/** Fetches one form of a reading and hands it to the user; `file` is the name of what was read. */
export async function saveOutput(format, file, path, options = {}) {
  const response = await api(path, { headers: { Accept: "*/*" }, ...options, raw: true });
  saveFile(await response.blob(), outputName(file, format));
}

/** Hands an answer that is already here to the user. */
export function saveJson(format, file, answer) {
  const blob = new Blob([JSON.stringify(answer, null, 1)], { type: "application/json" });
  saveFile(blob, outputName(file, format));
}

/** "scan.pdf" becomes "scan.txt", "scan.searchable.pdf" …. */
export const outputName = (file, { suffix }) => file.replace(/\.[^.]{1,5}$/, "") + suffix;
