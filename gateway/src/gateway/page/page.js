/** The landing page: a card for each service that exists, with its health as of a few seconds ago. */

import {
  ProblemError,
  api,
  connectBars,
  copyable,
  empty,
  facts,
  formatClock,
  formatNumber,
  guarded,
  h,
  loading,
  mark,
  on,
  poll,
  show,
} from "../ui/script.js";

const HEALTH_EVERY_MS = 5000;
const cards = new Map();

async function loadServices() {
  const place = document.querySelector("#services");
  show(place, loading());
  await guarded(place, async () => {
    const { items } = await api("services");
    cards.clear();
    show(
      place,
      items.length
        ? h("ul", { class: "services", "aria-label": "Services" }, items.map(card))
        : empty("No services are installed."),
    );
    await refreshHealth().catch((error) => {
      if (!(error instanceof ProblemError)) throw error;
    });
  });
}

function card(service) {
  const live = { status: h("span", null, mark("unknown", "checking")), facts: h("div", { class: "tight" }) };
  cards.set(service.name, live);
  return h(
    "li",
    { class: "card stack" },
    h("header", null, h("h2", null, h("a", { href: service.path }, service.title)), live.status),
    h("p", null, service.summary),
    live.facts,
    h(
      "div",
      { class: "actions" },
      h("a", { class: "button", href: service.path, "aria-label": `Open the page of ${service.title}` }, "Open"),
      h("a", { href: service.docs, "aria-label": `API documentation of ${service.title}` }, "API documentation"),
    ),
    service.example &&
      h(
        "div",
        { class: "tight" },
        h("h3", null, "Try it"),
        copyable(service.example, `the example of ${service.title}`),
      ),
  );
}

/** An unhealthy gateway answers 503 with the same document, which is shown all the same. */
async function readHealth() {
  try {
    return await api("health");
  } catch (error) {
    if (error instanceof ProblemError && error.problem.services) return error.problem;
    throw error;
  }
}

async function refreshHealth() {
  const health = await readHealth();
  show(document.querySelector("#health"), mark(health.status));
  for (const [name, live] of cards) {
    const service = health.services[name];
    show(live.status, mark(service?.status ?? "unknown"));
    show(live.facts, service && [factsOf(service), service.reason && h("p", { class: "note" }, service.reason)]);
  }
  show(document.querySelector("#checked"), `Checked at ${formatClock(new Date())}, every ${HEALTH_EVERY_MS / 1000} s.`);
}

function factsOf({ model, version, latency_ms: latency }) {
  return facts([
    ["Model", model],
    ["Version", version],
    ["Answered in", Number.isFinite(latency) ? `${formatNumber(latency, 2)} ms` : null],
  ]);
}

connectBars();
on("key", loadServices);
await loadServices();
poll(refreshHealth, HEALTH_EVERY_MS);
