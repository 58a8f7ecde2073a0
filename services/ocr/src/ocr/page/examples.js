/** API: the calls in curl, Python and JavaScript, with this service's address. */

import { apiKey, copyable, h, on, resolve, show } from "../ui/script.js";

const LANGUAGES = { curl: curlOf, Python: pythonOf, JavaScript: javascriptOf };

const EXAMPLES = [
  { title: "A picture", text: "Lines with text, confidence and corners.", path: "upload", file: "label.jpg" },
  {
    title: "A picture with options",
    text: "Fields beside the file: what is left out is as the service is set.",
    path: "upload",
    file: "label.jpg",
    fields: { text_score: "0.6", return_word_box: "true" },
  },
  {
    title: "As text, Markdown, hOCR, ALTO or a searchable PDF",
    text: "The form of the answer; json is the default.",
    path: "upload?format=markdown",
    file: "label.jpg",
    plain: true,
  },
  {
    title: "A PDF, page by page",
    text: "Each page is a line of JSON as soon as it is done.",
    path: "upload_pdf",
    file: "report.pdf",
    fields: { mode: "auto", pages: "1-3,7" },
    lines: true,
  },
  {
    title: "A searchable PDF",
    text: "The original pages with invisible text over the words.",
    path: "upload_pdf?format=pdf",
    file: "scan.pdf",
    saved: "scan.searchable.pdf",
  },
  {
    title: "The picture of a page",
    text: "Of a PDF, or of a TIFF: what the boxes lie over. A job's pages are at …/pages/3/image.",
    path: "render",
    file: "report.pdf",
    fields: { page: "3", dpi: "150" },
    saved: "page-3.jpg",
  },
  {
    title: "A long PDF as a job",
    text: "Answered at once with 202 and the address of the job in Location; its result is at …/result?format=text.",
    path: "jobs",
    file: "book.pdf",
  },
  {
    title: "Base64 in JSON",
    text: "The picture as base64 or a data URL.",
    path: "v1/ocr",
    file: "label.jpg",
    json: { text_score: 0.5 },
  },
];

export function mountExamples(app) {
  const place = document.querySelector("#api");
  let language = "curl";
  const draw = () => {
    show(
      place,
      h("p", null, "Every call, answer and error is in the ", h("a", { href: "docs" }, "API documentation"), "."),
      chooser(language, (name) => {
        language = name;
        draw();
        place.querySelector("input:checked").focus();
      }),
      EXAMPLES.map((example) => card(example, LANGUAGES[language])),
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

function curlOf({ path, file, fields, lines, saved, json }) {
  const key = apiKey() ? ['-H "X-API-Key: $LINESIDE_KEY"'] : [];
  if (json) {
    const body = JSON.stringify(json).slice(1, -1);
    const data = `-d "{\\"image\\": \\"$(base64 -w 0 ${file})\\", ${body.replaceAll('"', '\\"')}}"`;
    return parts([`curl '${resolve(path)}'`, "-H 'Content-Type: application/json'", data, ...key]);
  }
  return parts([
    `curl '${resolve(path)}'`,
    `-F file=@${file}`,
    ...pairs(fields).map(([name, value]) => `-F '${name}=${value}'`),
    ...(lines ? ["-N -H 'Accept: application/x-ndjson'"] : []),
    ...(saved ? [`-o ${saved}`] : []),
    ...key,
  ]);
}

const parts = (all) => all.join(" \\\n  ");

function pythonOf({ path, file, fields, lines, saved, json, plain }) {
  const headers = pythonHeaders(lines);
  const imports = [json && "base64", lines && "json", apiKey() && "os", (saved || json) && "pathlib"].filter(Boolean);
  const head = [...(imports.length ? [`import ${imports.join(", ")}`] : []), "import requests", ""];
  const url = `url = "${resolve(path)}"`;
  if (json) return [...head, url, ...pythonJson(file, json, headers)].join("\n");
  const data = fields ? `, data=${JSON.stringify(fields)}` : "";
  const call = `requests.post(url, files={"file": file}${data}${headers}${lines ? ", stream=True" : ""})`;
  return [
    ...head,
    url,
    `with open("${file}", "rb") as file:`,
    `    answer = ${call}`,
    "answer.raise_for_status()",
    ...pythonEnd({ path, lines, saved, plain }),
  ].join("\n");
}

function pythonHeaders(lines) {
  const all = [
    lines && '"Accept": "application/x-ndjson"',
    apiKey() && '"X-API-Key": os.environ["LINESIDE_KEY"]',
  ].filter(Boolean);
  return all.length ? `, headers={${all.join(", ")}}` : "";
}

function pythonJson(file, json, headers) {
  const rest = pairs(json)
    .map(([name, value]) => `, "${name}": ${value}`)
    .join("");
  return [
    `image = base64.b64encode(pathlib.Path("${file}").read_bytes()).decode()`,
    `answer = requests.post(url, json={"image": image${rest}}${headers})`,
    "answer.raise_for_status()",
    ...pythonEnd({}),
  ];
}

function pythonEnd({ path, lines, saved, plain }) {
  if (lines)
    return [
      "for line in answer.iter_lines():",
      "    page = json.loads(line)",
      '    print(page["page"], len(page["result"]))',
    ];
  if (saved) return [`pathlib.Path("${saved}").write_bytes(answer.content)`];
  if (plain) return ["print(answer.text)"];
  if (path === "jobs") return ['print(answer.headers["Location"])'];
  return ['for line in answer.json()["results"]:', '    print(line["text"], line["confidence"])'];
}

function javascriptOf({ path, fields, lines, saved, json, plain }) {
  const headers = [
    lines && 'Accept: "application/x-ndjson"',
    json && '"Content-Type": "application/json"',
    apiKey() && '"X-API-Key": key',
  ].filter(Boolean);
  const said = headers.length ? `, headers: { ${headers.join(", ")} }` : "";
  const body = json ? javascriptJson(json) : javascriptForm(fields);
  const call = `const answer = await fetch("${resolve(path)}", { method: "POST", body${said} });`;
  return [
    ...body,
    call,
    "if (!answer.ok) throw new Error((await answer.json()).detail);",
    ...javascriptEnd({ path, lines, saved, plain }),
  ].join("\n");
}

const javascriptForm = (fields) => [
  "const body = new FormData();",
  'body.append("file", file); // of an <input type="file">',
  ...pairs(fields).map(([name, value]) => `body.append("${name}", "${value}");`),
];

function javascriptJson(json) {
  const rest = pairs(json)
    .map(([name, value]) => `, ${name}: ${value}`)
    .join("");
  return [`const body = JSON.stringify({ image: dataUrl${rest} }); // as FileReader.readAsDataURL gives it`];
}

function javascriptEnd({ path, lines, saved, plain }) {
  if (lines)
    return [
      'for (const line of (await answer.text()).trim().split("\\n")) {',
      "  const page = JSON.parse(line);",
      "  console.log(page.page, page.result.length);",
      "}",
    ];
  if (saved) return ["const pdf = await answer.blob();"];
  if (plain) return ["console.log(await answer.text());"];
  if (path === "jobs") return ['console.log(answer.headers.get("Location"));'];
  return ["for (const { text, confidence } of (await answer.json()).results) console.log(text, confidence);"];
}
