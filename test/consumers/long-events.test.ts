import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { composeConsumers } from "../../src/compose";
import { webhookMessage } from "../../src/queues/webhooks";
import { post, textOf } from "../support/api";
import { eventsWith } from "../support/inbox";
import { moveNow, newLedger, unique } from "../support/ledger";
import { outgoing } from "../support/outgoing";

const LONG = "long ".repeat(30_000);

/** The message of an event as it left its shard. */
function messageOf(event: string, recordId: string) {
  const messages = outgoing("default", "webhooks.sendBatch").map((body) =>
    webhookMessage.parse(body),
  );
  return messages.find(
    ({ event: name, content }) =>
      name === event && content.kind === "record" && content.recordId === recordId,
  );
}

/** What a later attempt to deliver the event would bring. */
async function broughtAgain(event: string, recordId: string): Promise<string | null> {
  const message = messageOf(event, recordId);
  if (message === undefined) throw new Error(`${event} was too long for its message`);
  return composeConsumers(env).bodyOf(message);
}

describe("an event that is too long for its message brings the same body each time", () => {
  it("of a transaction whose metadata was merged meanwhile", async () => {
    const sent = await moveNow({
      from: "@World",
      to: `@${unique("alice")}`,
      amount: 1n,
      options: { allow_overdraft: true, meta_data: { text: LONG } },
    });
    const id = textOf(sent, "transaction_id");
    const [event] = await eventsWith(id, 1);

    const merged = await post(`/${id}/metadata`, { meta_data: { text: "short", later: true } });
    expect(merged.status).toBe(200);

    expect(event?.body).toContain(LONG);
    expect(await broughtAgain("transaction.applied", id)).toBe(event?.body);
  });

  it("of a balance whose metadata was merged meanwhile", async () => {
    const made = await post("/balances", {
      ledger_id: await newLedger(),
      currency: "USD",
      meta_data: { text: LONG },
    });
    const id = textOf(made, "balance_id");
    const [event] = await eventsWith(id, 1);

    const merged = await post(`/${id}/metadata`, { meta_data: { text: "short", later: true } });
    expect(merged.status).toBe(200);

    expect(event?.body).toContain(LONG);
    expect(await broughtAgain("balance.created", id)).toBe(event?.body);
  });
});
