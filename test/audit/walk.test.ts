import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import worker from "../../src/index";
import { type Answer, codeOf, field, get, listOf, wholeOf } from "../support/api";
import { everyKind } from "../support/every-kind";

/** All answers of a walk over HTTP. */
async function walk(limit: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  let query = `limit=${limit}`;
  for (;;) {
    const answer = await get(`/integrity?${query}`);
    expect(answer.status).toBe(200);
    answers.push(answer);
    const cursor = field(answer, "next_cursor");
    if (cursor === null) return answers;
    query = `limit=${limit}&cursor=${encodeURIComponent(String(cursor))}`;
  }
}

const findingsOf = (answers: readonly Answer[]) =>
  answers.flatMap((answer) => listOf({ ...answer, body: field(answer, "findings") }));

const countOf = (answers: readonly Answer[], what: string): bigint =>
  answers.reduce(
    (sum, answer) => sum + wholeOf({ ...answer, body: field(answer, "checked") }, what),
    0n,
  );

it("GET /integrity finds nothing in a ledger with transactions of every kind", async () => {
  await everyKind();
  const answers = await walk(50);
  expect(findingsOf(answers)).toEqual([]);
  expect(countOf(answers, "transactions")).toBeGreaterThan(50n);
  expect(countOf(answers, "entries")).toBeGreaterThan(40n);
  const last = answers.at(-1);
  expect(last === undefined ? null : field(last, "sums")).toMatchObject([
    { currency: "USD", sum: 0n },
  ]);
});

it("GET /integrity refuses a cursor that is none, and a limit out of bounds", async () => {
  for (const query of ["cursor=nonsense", "limit=0", "limit=201", "limit=x"]) {
    const answer = await get(`/integrity?${query}`);
    expect([answer.status, codeOf(answer)]).toEqual([400, "GEN_VALIDATION_ERROR"]);
  }
});

it("the run of every minute goes on with the walk, and tells the log what it finds", async () => {
  await env.DB.prepare(
    "UPDATE transactions SET description = 'something else' WHERE transaction_id = (SELECT min(transaction_id) FROM transactions WHERE status = 'APPLIED')",
  ).run();
  const { transaction_id: id } =
    (await env.DB.prepare(
      "SELECT transaction_id FROM transactions WHERE description = 'something else'",
    ).first<{ transaction_id: string }>()) ?? {};
  const log = vi.spyOn(console, "log");
  const told = () =>
    log.mock.calls.map(([line]) => String(line)).filter((line) => line.includes("integrity"));
  for (let minute = 0; minute < 20 && told().length === 0; minute += 1) {
    await worker.scheduled(createScheduledController(), env);
  }
  expect(JSON.parse(told()[0] ?? "{}")).toMatchObject({
    event: "integrity.finding",
    instance: "default",
    code: "copy_differs",
    id,
  });
  log.mockRestore();
});
