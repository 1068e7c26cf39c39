/**
 * The least that a transfer between two Durable Objects can be behind the same kind of route, checked and answered by
 * the same libraries: a debit, a credit, each with a look-up for repeats. No journal, no D1, no queue, no key, no funds
 * check. What Purser costs above it is the price of its promises.
 */
import { DurableObject } from "cloudflare:workers";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";

interface BareEnv {
  readonly BALANCES: DurableObjectNamespace<BareBalance>;
}

/** One balance: its newest entry holds the amount. */
export class BareBalance extends DurableObject<BareEnv> {
  constructor(state: DurableObjectState, env: BareEnv) {
    super(state, env);
    state.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, operation TEXT NOT NULL UNIQUE, balance TEXT NOT NULL)",
    );
  }

  /** Adds to the balance, once for each operation. */
  add(change: { readonly operation: string; readonly amount: bigint }): void {
    this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      const repeats = sql.exec("SELECT 1 FROM entries WHERE operation = ?", change.operation);
      if (repeats.toArray().length > 0) return;
      const after = String(this.balance() + change.amount);
      sql.exec("INSERT INTO entries (operation, balance) VALUES (?, ?)", change.operation, after);
    });
  }

  /** Minor units. */
  balance(): bigint {
    const newest = "SELECT balance FROM entries ORDER BY seq DESC LIMIT 1";
    const [row] = this.ctx.storage.sql.exec<{ balance: string }>(newest).toArray();
    return BigInt(row?.balance ?? "0");
  }
}

const Transfer = z.object({
  reference: z.string().min(1),
  source: z.string().min(1),
  destination: z.string().min(1),
  amount: z.number().positive(),
  precision: z.number().positive(),
  currency: z.string().min(1),
  description: z.string().min(1),
  meta_data: z.record(z.string(), z.unknown()),
  skip_queue: z.boolean(),
});

const json = <Schema extends z.ZodType>(schema: Schema) => ({
  content: { "application/json": { schema } },
});

const postTransaction = createRoute({
  method: "post",
  path: "/transactions",
  request: { body: { ...json(Transfer), required: true } },
  responses: { 201: { description: "Moved", ...json(Transfer.extend({ status: z.string() })) } },
});

const getBalance = createRoute({
  method: "get",
  path: "/balances/{id}",
  request: { params: z.object({ id: z.string() }) },
  responses: { 200: { description: "The balance", ...json(z.object({ balance: z.string() })) } },
});

export default new OpenAPIHono<{ Bindings: BareEnv }>()
  .openapi(postTransaction, async (c) => {
    const transfer = c.req.valid("json");
    const amount = BigInt(Math.round(transfer.amount * transfer.precision));
    const operation = transfer.reference;
    await c.env.BALANCES.getByName(transfer.source).add({ operation, amount: -amount });
    await c.env.BALANCES.getByName(transfer.destination).add({ operation, amount });
    return c.json({ ...transfer, status: "APPLIED" }, 201);
  })
  .openapi(getBalance, async (c) => {
    const amount = await c.env.BALANCES.getByName(c.req.valid("param").id).balance();
    return c.json({ balance: amount.toString() }, 200);
  });
