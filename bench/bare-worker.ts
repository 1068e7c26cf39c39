/**
 * The least that a transfer between two Durable Objects can be: one route, a debit, a credit, each with a look-up for
 * repeats. No journal, no D1, no queue, no checks. The bench measures Purser against it.
 */
import { DurableObject } from "cloudflare:workers";

interface BareEnv {
  readonly BALANCES: DurableObjectNamespace<BareBalance>;
}

interface Transfer {
  readonly reference: string;
  readonly source: string;
  readonly destination: string;
  /** Minor units, in decimal digits. */
  readonly amount: string;
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

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/transactions") {
      const transfer = await request.json<Transfer>();
      const amount = BigInt(transfer.amount);
      const operation = transfer.reference;
      await env.BALANCES.getByName(transfer.source).add({ operation, amount: -amount });
      await env.BALANCES.getByName(transfer.destination).add({ operation, amount });
      return Response.json({ ...transfer, status: "APPLIED" }, { status: 201 });
    }
    const balance = /^\/balances\/(.+)$/.exec(pathname)?.[1];
    if (balance === undefined) return new Response(null, { status: 404 });
    const amount = await env.BALANCES.getByName(balance).balance();
    return Response.json({ balance: amount.toString() });
  },
} satisfies ExportedHandler<BareEnv>;
