/** API: the calls in curl, Python and JavaScript, with this service's address. */

import { apiKey, copyable, h, on, resolve, show } from "../ui/script.js";

const LANGUAGES = { curl: curlOf, Python: pythonOf, JavaScript: javascriptOf };

const EXAMPLES = [
  {
    title: "Upload a picture",
    text: "201 when it is on the disk; 200 with duplicate: true where the same picture had come before.",
    path: "upload/",
    file: "car.jpg",
    result: "id",
  },
  {
    title: "Recognise it",
    text: "Its five most likely cars; the number is that of the upload.",
    path: "inference/1",
    result: "predictions",
  },
  {
    title: "Recognise a part of it",
    text: "x, y, width and height in pixels; the result is kept in place of the one before.",
    path: "inference/1?bbox=40,80,640,360",
    result: "predictions",
  },
  {
    title: "Recognise many",
    text: "Each number has its file or its problem; long batches are answered with 202 and a job.",
    path: "inference/batch",
    json: { image_ids: [1, 2, 3] },
    result: "items",
  },
  {
    title: "Recognise without keeping anything",
    text: "bbox is optional: the part to read, as x, y, width and height in pixels.",
    path: "recognize",
    file: "car.jpg",
    fields: { bbox: "40,80,640,360" },
    result: "predictions",
  },
  {
    title: "What is stored",
    text: "Newest first; next_cursor leads on.",
    method: "GET",
    path: "files/?status=recognized&make=Tesla&limit=50",
    result: "items",
  },
  {
    title: "Correct what the model said",
    text: "Kept beside the prediction; filters and statistics go by it.",
    method: "PUT",
    path: "files/1/correction",
    json: { label: "Tesla Model S Sedan 2012" },
    result: "correction",
  },
  {
    title: "All results as CSV",
    text: "Safe for spreadsheets.",
    method: "GET",
    path: "visualization/export/csv",
    saved: "results.csv",
  },
];

export function mountExamples(app) {
  const place = document.querySelector("#api");
  let language = "curl";
  const draw = () => {
    const choose = (name) => {
      language = name;
      draw();
      place.querySelector("input:checked").focus();
    };
    show(
      place,
      h("p", null, "Every call, answer and error is in the ", h("a", { href: "docs" }, "API documentation"), "."),
      chooser(language, choose),
      EXAMPLES.map((example) => card({ method: "POST", ...example }, LANGUAGES[language])),
    );
  };
  on("key", draw);
  return { enter: () => app.isAdmitted().then(draw) };
}

function chooser(chosen, choose) {
  const option = (name) => {
    const input = h("input", {
      type: "radio",
      name: "language",
      value: name,
      checked: name === chosen,
      onchange: () => choose(name),
    });
    return h("label", null, input, name);
  };
  const legend = h("legend", { class: "visually-hidden" }, "Language of the examples");
  return h("fieldset", { class: "segments languages" }, legend, Object.keys(LANGUAGES).map(option));
}

const card = (example, write) =>
  h(
    "div",
    { class: "card tight" },
    h("h2", null, example.title),
    h("p", { class: "hint" }, example.text),
    copyable(write(example), `the example: ${example.title}`),
  );

const pairs = (fields) => Object.entries(fields ?? {});

function curlOf({ method, path, file, fields, json, saved }) {
  return [
    method === "GET" ? `curl '${resolve(path)}'` : `curl -X ${method} '${resolve(path)}'`,
    ...(file ? [`-F "file=@${file}"`] : []),
    ...pairs(fields).map(([name, value]) => `-F '${name}=${value}'`),
    ...(json ? ["-H 'Content-Type: application/json'", `-d '${JSON.stringify(json)}'`] : []),
    ...(saved ? [`-o ${saved}`] : []),
    ...(apiKey() ? ['-H "X-API-Key: $LINESIDE_KEY"'] : []),
  ].join(" \\\n  ");
}

function pythonOf({ method, path, file, fields, json, saved, result }) {
  const call = [
    "url",
    file && 'files={"file": file}',
    fields && `data=${JSON.stringify(fields)}`,
    json && `json=${JSON.stringify(json)}`,
    apiKey() && 'headers={"X-API-Key": os.environ["LINESIDE_KEY"]}',
  ].filter(Boolean);
  const asked = `answer = requests.${method.toLowerCase()}(${call.join(", ")})`;
  const imports = [apiKey() && "os", saved && "pathlib"].filter(Boolean);
  return [
    ...(imports.length ? [`import ${imports.join(", ")}`, ""] : []),
    "import requests",
    "",
    `url = "${resolve(path)}"`,
    ...(file ? [`with open("${file}", "rb") as file:`, `    ${asked}`] : [asked]),
    "answer.raise_for_status()",
    saved ? `pathlib.Path("${saved}").write_bytes(answer.content)` : `print(answer.json()["${result}"])`,
  ].join("\n");
}

function javascriptOf({ method, path, file, fields, json, saved, result }) {
  const headers = [json && '"Content-Type": "application/json"', apiKey() && '"X-API-Key": key'].filter(Boolean);
  const options = [
    method !== "GET" && `method: "${method}"`,
    (file || json) && "body",
    headers.length && `headers: { ${headers.join(", ")} }`,
  ].filter(Boolean);
  return [
    ...(file ? ["const body = new FormData();", 'body.append("file", file); // of an <input type="file">'] : []),
    ...pairs(fields).map(([name, value]) => `body.append("${name}", "${value}");`),
    ...(json ? [`const body = JSON.stringify(${JSON.stringify(json)});`] : []),
    `const answer = await fetch("${resolve(path)}"${options.length ? `, { ${options.join(", ")} }` : ""});`,
    "if (!answer.ok) throw new Error((await answer.json()).detail);",
    saved ? "const table = await answer.blob();" : `console.log((await answer.json()).${result});`,
  ].join("\n");
}
