import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Ledger } from "../../src/domain/ledger";
import { recordEvent } from "../../src/schemas/event";
import { toLedgerBody } from "../../src/schemas/ledger";
import { IdentitiesTable } from "../../src/storage/identities";
import { LedgersTable } from "../../src/storage/ledgers";
import { OutboxTable } from "../../src/storage/outbox";
import { instanceOfATest, MADE_AT } from "../support/records";

const newLedger = (): Ledger => ({
  ledgerId: `ldg_${crypto.randomUUID()}`,
  name: "x",
  createdAt: MADE_AT,
  metaData: null,
});

const toldOf = (ledger: Ledger, change: string, at = MADE_AT) => ({
  event: recordEvent("ledger.created", ledger.ledgerId, change, toLedgerBody(ledger)),
  at,
});

describe("events of ledgers and identities", () => {
  it("are stored with their row and wait until they are sent, oldest first", async () => {
    const instance = instanceOfATest();
    const table = new LedgersTable(env.DB, instance);
    const outbox = new OutboxTable(env.DB, instance);
    const [first, second] = [newLedger(), newLedger()];
    const told = [
      toldOf(second, "created", "2030-01-02T00:00:00.000000Z"),
      toldOf(first, "created", "2030-01-01T00:00:00.000000Z"),
    ] as const;
    await table.insert(second, told[0]);
    await table.insert(first, told[1]);

    expect(await outbox.unsent(10)).toEqual([told[1].event, told[0].event]);
    expect(await outbox.unsent(1)).toEqual([told[1].event]);
    await outbox.markSent([told[1].event.id]);
    await outbox.markSent([told[1].event.id, "evt_unknown"]);
    expect(await outbox.unsent(10)).toEqual([told[0].event]);
    expect(await outbox.bodyOf(told[1].event.id)).toBe(told[1].event.body);
    expect(await new OutboxTable(env.DB, instanceOfATest()).unsent(10)).toEqual([]);
  });

  it("keep the first body of others that are too long for a message, and don't wait to be sent", async () => {
    const instance = instanceOfATest();
    const outbox = new OutboxTable(env.DB, instance);
    const event = { id: "evt_long", event: "balance.created", body: "first" } as const;
    await outbox.keep([event, { ...event, id: "evt_other" }], MADE_AT);
    await outbox.keep([{ ...event, body: "merged since" }], MADE_AT);
    expect(await outbox.bodyOf("evt_long")).toBe("first");
    expect(await outbox.unsent(10)).toEqual([]);
  });

  it("are not stored for a change that lost against another one", async () => {
    const instance = instanceOfATest();
    const table = new LedgersTable(env.DB, instance);
    const ledger = newLedger();
    await table.insert(ledger, null);
    const stored = await table.byId(ledger.ledgerId);
    if (stored === null) throw new Error("the ledger was stored");

    const [one, other] = ["one", "other"].map((name) => ({
      ledger: { ...ledger, name },
      revision: stored.revision,
    }));
    if (one === undefined || other === undefined) throw new Error("there are two");
    const outcomes = await Promise.all([
      table.replace(one, toldOf(one.ledger, "one")),
      table.replace(other, toldOf(other.ledger, "other")),
    ]);
    expect(outcomes.filter((isWritten) => isWritten)).toHaveLength(1);
    const after = await table.byId(ledger.ledgerId);
    const [event, ...more] = await new OutboxTable(env.DB, instance).unsent(10);
    expect(more).toEqual([]);
    expect(event?.body).toContain(`"name":"${after?.ledger.name}"`);
  });

  it("are not stored for an identity whose id is taken", async () => {
    const instance = instanceOfATest();
    const table = new IdentitiesTable(env.DB, instance);
    const identityId = `idt_${crypto.randomUUID()}` as const;
    const texts = {
      identityType: "",
      organizationName: "",
      category: "",
      firstName: "",
      lastName: "",
      otherNames: "",
      gender: "",
      emailAddress: "",
      phoneNumber: "",
      nationality: "",
      street: "",
      country: "",
      state: "",
      postCode: "",
      city: "",
    };
    const identity = { ...texts, identityId, dob: null, createdAt: MADE_AT, metaData: null };
    const told = (change: string) => ({
      event: recordEvent("identity.created", identityId, change, {}),
      at: MADE_AT,
    });
    expect(await table.insert(identity, told("first"))).toBe(true);
    expect(await table.insert({ ...identity, firstName: "Other" }, told("second"))).toBe(false);
    expect(await new OutboxTable(env.DB, instance).unsent(10)).toEqual([told("first").event]);
    expect((await table.byId(identityId))?.identity).toEqual(identity);
  });
});
