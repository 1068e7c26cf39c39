/**
 * The yardstick: the same doors and the same body, the same answer, and behind them the least that a transfer can be: two
 * Durable Objects, each of which looks for a repeat, checks the funds, and writes an entry. No journal, no D1, no queue:
 * two crashes can tear a transfer apart, and nothing can be listed. What Purser costs above it is the price of its promises.
 */
import { DurableObject } from "cloudflare:workers";
import { createRoute, z } from "@hono/zod-openapi";
import type { Composition } from "../src/compose";
import { postingOf } from "../src/domain/posting";
import { instantOfMicros } from "../src/domain/time";
import { newApp } from "../src/http/app";
import { jsonResponse } from "../src/schemas/common";
import {
  TransactionBody,
  TransactionRequest,
  toPostingRequest,
  toTransactionBody,
} from "../src/schemas/transaction";

interface BareEnv {
  readonly BALANCES: DurableObjectNamespace<BareBalance>;
  readonly PURSER_MASTER_KEY: string;
}

interface Change {
  readonly operation: string;
  readonly transactionId: string;
  readonly credit: bigint;
  readonly debit: bigint;
}

type Amounts = { readonly version: number; readonly credit: bigint; readonly debit: bigint };

/** One balance: its newest entry holds the amounts. */
export class BareBalance extends DurableObject<BareEnv> {
  constructor(state: DurableObjectState, env: BareEnv) {
    super(state, env);
    state.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS entries (version INTEGER PRIMARY KEY, operation TEXT NOT NULL UNIQUE,
         transaction_id TEXT NOT NULL, amount TEXT NOT NULL, credit TEXT NOT NULL, debit TEXT NOT NULL,
         at TEXT NOT NULL)`,
    );
  }

  /** Adds to either side of the balance, once for each operation; answers the version after it. */
  move({ operation, transactionId, credit, debit }: Change): number {
    return this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      const [repeat] = sql.exec<{ version: number }>(
        "SELECT version FROM entries WHERE operation = ?",
        operation,
      );
      if (repeat !== undefined) return repeat.version;
      const before = this.amounts();
      const after = { credit: before.credit + credit, debit: before.debit + debit };
      if (debit > 0n && after.credit - after.debit < -FUNDED) throw new Error("too little money");
      sql.exec(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
        before.version + 1,
        operation,
        transactionId,
        String(credit + debit),
        String(after.credit),
        String(after.debit),
        instantOfMicros(Date.now() * 1000),
      );
      return before.version + 1;
    });
  }

  /** Minor units. */
  amounts(): Amounts {
    const [row] = this.ctx.storage.sql.exec<{ version: number; credit: string; debit: string }>(
      "SELECT version, credit, debit FROM entries ORDER BY version DESC LIMIT 1",
    );
    if (row === undefined) return { version: 0, credit: 0n, debit: 0n };
    return { version: row.version, credit: BigInt(row.credit), debit: BigInt(row.debit) };
  }
}

/** What every balance may owe, in minor units, so that no transfer of the bench is refused. */
const FUNDED = 10n ** 15n;

const postTransaction = createRoute({
  method: "post",
  path: "/transactions",
  request: {
    body: { content: { "application/json": { schema: TransactionRequest } }, required: true },
  },
  responses: { 201: jsonResponse(TransactionBody, "Moved.") },
});

const BareBalanceBody = z.object({
  balance_id: z.string(),
  balance: z.string(),
  credit_balance: z.string(),
  debit_balance: z.string(),
  version: z.number(),
});

const getBalance = createRoute({
  method: "get",
  path: "/balances/{id}",
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: jsonResponse(BareBalanceBody, "The balance.") },
});

function bareApp({ BALANCES }: BareEnv) {
  return newApp()
    .openapi(postTransaction, async (c) => {
      const split = postingOf("bare", toPostingRequest(c.req.valid("json")));
      if (!split.ok) throw new Error(split.error.message);
      const { posting } = split.value;
      const { transactionId, source, destination, preciseAmount } = posting;
      const change = { operation: `${transactionId}/debit`, transactionId };
      const sourceVersion = await BALANCES.getByName(source.balanceId).move({
        ...change,
        credit: 0n,
        debit: preciseAmount,
      });
      const destinationVersion = await BALANCES.getByName(destination.balanceId).move({
        ...change,
        operation: `${transactionId}/credit`,
        credit: preciseAmount,
        debit: 0n,
      });
      const createdAt = instantOfMicros(Date.now() * 1000);
      const moved = {
        ...posting,
        status: "APPLIED",
        createdAt,
        effectiveDate: posting.effectiveDate ?? createdAt,
        inflightRemaining: null,
        rejectionReason: "",
        sourceVersion,
        destinationVersion,
        revision: 1,
      } as const;
      return c.json(toTransactionBody(moved, "answer"), 201);
    })
    .openapi(getBalance, async (c) => {
      const { id } = c.req.valid("param");
      const { version, credit, debit } = await BALANCES.getByName(id).amounts();
      const body = {
        balance_id: id,
        balance: String(credit - debit),
        credit_balance: String(credit),
        debit_balance: String(debit),
        version,
      };
      return c.json(body, 200);
    });
}

let app: ReturnType<typeof bareApp> | undefined;

const nothing = () => Promise.reject(new Error("the bare Worker has none"));

export default {
  fetch(request, env, context) {
    app ??= bareApp(env);
    const composition: Composition = {
      masterKey: env.PURSER_MASTER_KEY,
      authOff: false,
      ledger: nothing,
      healthy: () => Promise.resolve(true),
      asset: nothing,
    };
    return app.fetch(request, composition, context);
  },
} satisfies ExportedHandler<BareEnv>;
