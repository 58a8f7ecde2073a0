/** Deliveries: what was sent about alerts, to whom, and what became of it. */

import { api, button, busy, empty, guarded, mark, plural, poll, show, h, table, time } from "../ui/script.js";

const EVERY_MS = 5000;

export class Deliveries {
  constructor() {
    this.list = document.querySelector("#deliveries-list");
    this.message = document.querySelector("#deliveries-message");
    document.querySelector("#deliveries-test").addEventListener("click", (event) => this.test(event.currentTarget));
  }

  enter() {
    this.leave();
    this.stop = poll(() => this.refresh(), EVERY_MS);
  }

  leave() {
    this.stop?.();
  }

  async refresh() {
    await guarded(this.list, async () => {
      const { items } = await api("alerts/deliveries?limit=20");
      const now = JSON.stringify(items);
      if (now === this.shown && this.list.querySelector("table, .empty")) return;
      this.shown = now;
      const nothing = "Nothing was sent yet. Receivers (webhooks, mail) are set by the service's settings.";
      show(this.list, items.length ? this.table(items) : empty(nothing));
    });
  }

  table(items) {
    const retry = (item) => {
      const again = button("Retry", () => this.retry(again, item), "small", `Retry delivery ${item.id}`);
      return again;
    };
    const columns = [
      ["Receiver", (item) => item.receiver, "wrap"],
      ["Alert", (item) => (item.alert_id ? `${item.alert_id} ${item.notice}` : item.notice)],
      ["Status", (item) => mark(item.status)],
      ["Attempts", (item) => String(item.attempts), "num"],
      ["Next or done", (item) => time(item.delivered_at ?? item.next_attempt_at)],
      ["Last error", (item) => item.last_error ?? "", "wrap"],
      ["", (item) => item.status === "failed" && retry(item), "act"],
    ];
    return table("Deliveries", columns, items);
  }

  async retry(again, item) {
    await this.act(again, async () => {
      await api(`alerts/deliveries/${encodeURIComponent(item.id)}/retry`, { method: "POST" });
      return `Delivery ${item.id} is tried again.`;
    });
  }

  async test(start) {
    await this.act(start, async () => {
      const { deliveries } = await api("alerts/test", { method: "POST" });
      return `A test alert is on its way to ${plural(deliveries.length, "receiver")}.`;
    });
  }

  async act(pressed, action) {
    await busy(pressed, () =>
      guarded(this.message, async () => {
        const said = await action();
        show(this.message, h("p", { class: "done" }, said));
        await this.refresh();
      }),
    );
  }
}
