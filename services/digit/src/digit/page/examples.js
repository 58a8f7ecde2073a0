/** API: the calls as they are made on a command line and in programs, with this service's address. */

import { apiKey, copyable, h, on, resolve, show } from "../ui/script.js";

const EXAMPLES = [
  ["One picture", "A PNG or JPEG with one digit.", ({ curl }) => curl("predict", "-F file=@seven.png")],
  [
    "With all there is to know",
    "How sure, all ten probabilities, whether it is a digit at all, and where it is.",
    ({ curl }) => curl("predict?detail=true", "-F file=@seven.png"),
  ],
  [
    "Many pictures, or ZIPs of them",
    "As JSON; a table with a header as CSV.",
    ({ curl }) => curl("predict_batch", "-F files=@one.png -F files=@scans.zip -H 'Accept: text/csv'"),
  ],
  [
    "With progress",
    "A line of JSON for each picture as soon as it is read; what is no picture is named and skipped.",
    ({ curl }) => curl("predict_batch?on_error=skip", "-N -F files=@scans.zip -H 'Accept: application/x-ndjson'"),
  ],
  ["A number of several digits", "With a box around each.", ({ curl }) => curl("predict_number", "-F file=@year.png")],
  ["The models", "Their accuracies, sizes and digests.", ({ curl }) => curl("models", "", { withModel: false })],
  [
    "Over a WebSocket, in Python",
    "Base64, a data URL, JSON or the bytes of a picture; a bad frame is answered and the socket stays open.",
    socketExample,
  ],
];

export function mountExamples(app) {
  const place = document.querySelector("#api");
  const draw = () => {
    const curl = (path, rest, { withModel = true } = {}) => curlCall(path, rest, withModel ? app.model : "");
    const card = ([title, text, make]) =>
      h(
        "div",
        { class: "card tight" },
        h("h2", null, title),
        h("p", { class: "hint" }, text),
        copyable(make({ curl, model: app.model }), `the example: ${title}`),
      );
    show(
      place,
      h("p", null, "Every call, answer and error is in the ", h("a", { href: "docs" }, "API documentation"), "."),
      EXAMPLES.map(card),
    );
  };
  on("key", draw);
  return { enter: () => app.isAdmitted().then(draw), modelChosen: draw };
}

function curlCall(path, rest, model) {
  const target = resolve(path);
  if (model) target.searchParams.set("model", model);
  const key = apiKey() ? ` \\\n  -H "X-API-Key: $LINESIDE_KEY"` : "";
  return `curl '${target.href}'${rest && ` \\\n  ${rest}`}${key}`;
}

function socketExample({ model }) {
  const target = resolve("ws");
  target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
  const key = apiKey() ? `, additional_headers={"X-API-Key": os.environ["LINESIDE_KEY"]}` : "";
  const lines = [
    `import base64, json${apiKey() ? ", os" : ""}, pathlib`,
    "from websockets.sync.client import connect",
    "",
    `with connect("${target.href}"${key}) as socket:`,
    `    image = base64.b64encode(pathlib.Path("seven.png").read_bytes()).decode()`,
    `    socket.send(json.dumps({"image": image, "id": "a1"${model ? `, "model": "${model}"` : ""}}))`,
    "    print(socket.recv())",
  ];
  return lines.join("\n");
}
