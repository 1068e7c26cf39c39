import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { JournalClient } from "../../src/durable/journal/client";
import { anonymous, postingFor, type Transfer } from "../support/postings";

const instance = "journal-test";
const journal = new JournalClient({
  instance,
  shards: 4,
  journal: env.JOURNAL,
  balances: env.BALANCES,
});

const record = (transfer: Transfer) =>
  journal.record({ posting: postingFor(instance, transfer), operation: anonymous() });

describe("a synchronous transfer", () => {
  it("is in both balances when it is answered", async () => {
    const answer = await record({ reference: "t1", from: "@world", to: "@alice", amount: 1000n });
    expect(answer.ok && answer.value.status).toBe("APPLIED");
    const posting = postingFor(instance, { reference: "t1", from: "@world", to: "@alice", amount: 1000n });
    const alice = await journal.balance(posting.destination.balanceId);
    const world = await journal.balance(posting.source.balanceId);
    expect(alice?.credit).toBe(1000n);
    expect(world?.debit).toBe(1000n);
    expect(await journal.barrier()).toBe(true);
    const again = await record({ reference: "t1", from: "@world", to: "@alice", amount: 1000n });
    expect(again.ok || again.error.code).toBe("TXN_DUPLICATE_REFERENCE");
  });
});
