import { describe, expect, it } from "vitest";
import { applyMessage } from "../../src/queues/apply";
import { BODY_BYTES_MAX, batchesOf, bytesOf } from "../../src/queues/batch";
import { endpointsOf, messageOf } from "../../src/queues/webhooks";

const eventWith = (text: string) => ({
  id: "evt_1",
  event: "balance.created" as const,
  body: JSON.stringify({
    id: "evt_1",
    event: "balance.created",
    data: { balance_id: "bln_1", meta_data: { text } },
  }),
});

describe("batches of messages", () => {
  it("are at most a hundred messages long", () => {
    const bodies = Array.from({ length: 250 }, (_, index) => index);

    const batches = batchesOf(bodies);

    expect(batches.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(batches.flat()).toEqual(bodies);
  });

  it("are at most 256 KB large", () => {
    const batches = batchesOf(Array.from({ length: 7 }, () => "x".repeat(100_000)));

    expect(batches.map(({ length }) => length)).toEqual([2, 2, 2, 1]);
  });

  it("count bytes and not characters", () => {
    expect(bytesOf("é")).toBe(4);
    expect(batchesOf(Array.from({ length: 3 }, () => "é".repeat(60_000)))).toHaveLength(2);
  });
});

describe("the message of an event", () => {
  it("carries the exact body", () => {
    const event = eventWith("short");

    const { content } = messageOf("default", event);

    expect(content).toEqual({ kind: "body", body: event.body });
  });

  it("carries the record's id when the body does not fit", () => {
    const { content } = messageOf("default", eventWith("x".repeat(125_000)));

    expect(content).toEqual({ kind: "record", record: "balance", recordId: "bln_1" });
  });

  it("counts what escaping adds to the body", () => {
    const message = messageOf("default", eventWith('"'.repeat(40_000)));

    expect(bytesOf(message)).toBeLessThanOrEqual(BODY_BYTES_MAX);
    expect(message.content.kind).toBe("record");
  });
});

it("an apply message takes at most a thousand ids, which are billed as one", () => {
  const ids = (count: number) =>
    Array.from({ length: count }, () => "txn_00000000-0000-8000-8000-000000000000");
  const message = { instance: "default", shard: 255, ids: ids(1_000) };
  expect(applyMessage.safeParse(message).success).toBe(true);
  expect(bytesOf(message)).toBeLessThan(64_000);
  expect(applyMessage.safeParse({ ...message, ids: ids(1_001) }).success).toBe(false);
});

it("the setting with the receivers' addresses is a list with commas between", () => {
  expect(endpointsOf("")).toEqual([]);
  expect(endpointsOf(" https://a.example/x , https://b.example ,")).toEqual([
    "https://a.example/x",
    "https://b.example",
  ]);
});
