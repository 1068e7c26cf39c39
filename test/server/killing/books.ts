import { expect, vi } from "vitest";
import type { Ledger } from "./client.ts";
import type { Movement, Purse } from "./story.ts";
import type { Ask, Request, Shown } from "./wire.ts";

const PATIENCE = { timeout: 60_000, interval: 100 };
const PAGE = 1_000;
/** Reads that are under way at once. */
const AT_ONCE = 16;

/** Answers of a server that is up. */
export class Reader {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** The body of an answer that is a success. */
  async read<T>(request: Request): Promise<T> {
    const { body } = await this.#page<T>(request);
    return body;
  }

  /** All rows of a list, page by page. */
  async all<T>(path: string): Promise<T[]> {
    const rows: T[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: { body: T[]; cursor: string | null } = await this.#page<T[]>({
        method: "GET",
        path: `${path}?limit=${PAGE}${from}`,
      });
      rows.push(...page.body);
      cursor = page.cursor;
    }
    return rows;
  }

  /** The same for many paths, in their order. */
  async each<T>(paths: readonly string[]): Promise<T[]> {
    const found: T[] = [];
    for (let at = 0; at < paths.length; at += AT_ONCE) {
      const some = paths.slice(at, at + AT_ONCE);
      found.push(...(await Promise.all(some.map((path) => this.read<T>({ method: "GET", path })))));
    }
    return found;
  }

  async #page<T>(request: Request): Promise<{ body: T; cursor: string | null }> {
    const answer = await this.#ask(request);
    expect(answer?.status, `${request.path}: ${answer?.text}`).toBeLessThan(300);
    const body: T = JSON.parse(answer?.text ?? "");
    return { body, cursor: answer?.cursor ?? null };
  }
}

interface Balance {
  readonly balance_id: string;
  readonly currency: string;
  readonly balance: number;
  readonly credit_balance: number;
  readonly debit_balance: number;
  readonly inflight_balance: number;
  readonly inflight_credit_balance: number;
  readonly inflight_debit_balance: number;
}

interface WalkStep {
  readonly findings: readonly object[];
  readonly backlog: { readonly waiting: number } | null;
  readonly sums: readonly { readonly currency: string; readonly sum: number }[] | null;
  readonly next_cursor: string | null;
}

/** Waits until nothing is under way any more. */
export async function atRest(reader: Reader, ledger: Ledger): Promise<void> {
  const queued: Request = {
    method: "POST",
    path: "/transactions/filter",
    body: { filters: [{ field: "status", operator: "eq", value: "QUEUED" }], limit: 1 },
  };
  const batches = [...new Set(ledger.batches)].map((id) => `/transactions/bulk/${id}`);
  await vi.waitFor(async () => {
    const read = await reader.each<{ status: string }>(batches);
    expect(read.filter(({ status }) => status !== "applied")).toEqual([]);
  }, PATIENCE);
  // Only now: what a batch has not recorded yet waits for nothing.
  await vi.waitFor(async () => expect(await reader.read(queued)).toEqual([]), PATIENCE);
}

/** The posts of all records, by reference; each is there once, with what was asked, and in a state that it may end in. */
export function checkRecords(rows: readonly Shown[], ledger: Ledger): void {
  const posts = rows.filter(({ parent_transaction }) => !parent_transaction.startsWith("txn_"));
  const byReference = new Map(posts.map((row) => [row.reference, row]));
  expect(new Set(rows.map((row) => row.transaction_id)).size, "no id twice").toBe(rows.length);
  expect(byReference.size, "no reference twice").toBe(posts.length);

  const references = [...byReference.keys()].sort();
  expect(references, "what was accepted, and nothing else").toEqual(
    [...ledger.accepted.keys()].sort(),
  );
  for (const [reference, { movement, step }] of ledger.accepted) {
    const row = byReference.get(reference);
    const chance = step.kind === "post" ? step.chance : "surely";
    const wasQueued = step.kind === "post" && !step.skipQueue;
    const moved = step.kind === "post" && step.inflight ? "INFLIGHT" : "APPLIED";
    const possible = { surely: [moved], never: ["REJECTED"], perhaps: [moved, "REJECTED"] };
    expect(wasQueued ? possible[chance] : [moved], reference).toContain(row?.status);
    expect(row?.transaction_id).toBe(ledger.idOf(reference));
    expect(contentOf(row)).toEqual(contentOf(rowOf(movement)));
  }
}

/** Every commit, void and refund that was accepted is there once, and nothing else follows from any post. */
export function checkFollowed(rows: readonly Shown[], ledger: Ledger): void {
  const found = rows.filter(({ parent_transaction }) => parent_transaction.startsWith("txn_"));
  const words = (...parts: readonly unknown[]) => parts.join(" ");
  const expected: string[] = [];
  for (const [of, steps] of Map.groupBy(ledger.followed, (step) => step.of)) {
    const id = ledger.idOf(of);
    const { source, destination, minor } = ledger.accepted.get(of)?.movement ?? {};
    let left = minor ?? 0n;
    for (const step of steps) {
      const amount = step.minor ?? left;
      left -= amount;
      const sides = step.kind === "refund" ? [destination, source] : [source, destination];
      expected.push(words(id, step.kind === "void" ? "VOID" : "APPLIED", amount, ...sides));
    }
  }
  const told = found.map((row) =>
    words(row.parent_transaction, row.status, row.precise_amount, row.source, row.destination),
  );
  expect(told.sort()).toEqual(expected.sort());
}

/** The balances hold what the records say and no more, in their objects and in D1; no money is held, none is made. */
export async function checkBalances(
  reader: Reader,
  rows: readonly Shown[],
  purses: readonly Purse[],
): Promise<void> {
  const moved = new Map<string, { credit: bigint; debit: bigint }>();
  const of = (id: string) => {
    const sums = moved.get(id) ?? { credit: 0n, debit: 0n };
    moved.set(id, sums);
    return sums;
  };
  for (const { status, source, destination, precise_amount } of rows) {
    if (status !== "APPLIED") continue;
    of(source).debit += BigInt(precise_amount);
    of(destination).credit += BigInt(precise_amount);
  }

  const listed = await reader.all<Balance>("/balances");
  const objects = await reader.each<Balance>(listed.map(({ balance_id: id }) => `/balances/${id}`));
  expect(listed, "D1 has what the objects have").toEqual(objects);
  const wallets = purses.flatMap((purse) => [...purse.wallets, purse.poor]);
  expect(objects.map((each) => each.balance_id)).toEqual(expect.arrayContaining(wallets));
  const sums = new Map<string, bigint>();
  for (const balance of objects) {
    const { balance_id: id, currency } = balance;
    const { credit, debit } = of(id);
    const amounts = [balance.credit_balance, balance.debit_balance, balance.balance].map(BigInt);
    expect(amounts, id).toEqual([credit, debit, credit - debit]);
    const held = [balance.inflight_credit_balance, balance.inflight_debit_balance];
    expect([...held, balance.inflight_balance], `nothing is held in ${id}`).toEqual([0, 0, 0]);
    if (wallets.includes(id)) expect(credit - debit, `${id} owes`).toBeGreaterThanOrEqual(0n);
    sums.set(currency, (sums.get(currency) ?? 0n) + credit - debit);
  }
  expect(sums).toEqual(new Map(purses.map(({ currency }) => [currency, 0n])));
}

/** Lists and filters show what the objects say of these. */
export async function checkCopies(
  reader: Reader,
  rows: readonly Shown[],
  references: ReadonlySet<string>,
) {
  const some = rows.filter(({ reference }) => references.has(reference));
  const read = await reader.each<Shown>(some.map((row) => `/transactions/${row.transaction_id}`));
  expect(some, "D1 has what the shards have").toEqual(read);
}

/** Walks over everything that is stored: nothing is wrong, nothing waits, every currency sums to zero. */
export async function checkIntegrity(reader: Reader): Promise<void> {
  await vi.waitFor(async () => {
    const steps = await walk(reader);
    expect(steps.flatMap(({ findings }) => findings)).toEqual([]);
    expect(steps.filter(({ backlog }) => (backlog?.waiting ?? 0) > 0)).toEqual([]);
    const sums = steps.flatMap((step) => step.sums ?? []);
    expect(sums.length).toBeGreaterThan(0);
    expect(sums.filter(({ sum }) => sum !== 0)).toEqual([]);
  }, PATIENCE);
}

async function walk(reader: Reader): Promise<WalkStep[]> {
  const steps: WalkStep[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/integrity?limit=200${from}`;
    const step: WalkStep = await reader.read<WalkStep>({ method: "GET", path });
    steps.push(step);
    cursor = step.next_cursor;
  }
  return steps;
}

const contentOf = (
  row: Pick<Shown, "source" | "destination" | "currency" | "precise_amount"> | undefined,
) => (row === undefined ? null : [row.source, row.destination, row.currency, row.precise_amount]);

const rowOf = ({ source, destination, currency, minor }: Movement) => ({
  source,
  destination,
  currency,
  precise_amount: Number(minor),
});
