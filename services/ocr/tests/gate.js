// Holds a document's answer after its first lines until the test calls `openGate()`: what streams can then be looked at.
(() => {
  const HELD_AFTER = 2;
  const plain = window.fetch;
  const gate = new Promise((open) => (window.openGate = open));
  window.fetch = async (...call) => {
    const response = await plain(...call);
    if (!/json/.test(response.headers.get("content-type")) || !String(call[0]).includes("upload_pdf")) return response;
    const lines = (await response.text()).split(/(?<=\n)/);
    const first = new TextEncoder().encode(lines.slice(0, HELD_AFTER).join(""));
    const others = new TextEncoder().encode(lines.slice(HELD_AFTER).join(""));
    const { signal } = call[1];
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(first);
        signal.addEventListener("abort", () => controller.error(signal.reason));
        await gate;
        if (signal.aborted) return;
        controller.enqueue(others);
        controller.close();
      },
    });
    return new Response(body, response);
  };
})();
