/** The bench's load process: takes one order after another over IPC and reports what happened. */
import { type Answer, Connection } from "./connection.ts";
import type { BulkWork, LoadOrder, LoadReport, ReadWork, TransferWork } from "./protocol.ts";
import { get, post } from "./request.ts";

process.on("message", (order: LoadOrder) => {
  void carryOut(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());

const repeatsMax = 100;

/** One request to send, and what to note when it was accepted. */
interface Ask {
  readonly request: string;
  accepted(): void;
}

/** Minor units that left and reached each balance. */
class Sums {
  readonly debits = new Map<string, bigint>();
  readonly credits = new Map<string, bigint>();

  add({ source, destination, amount }: Transfer): void {
    add(this.debits, source, amount);
    add(this.credits, destination, amount);
  }
}

async function carryOut(order: LoadOrder): Promise<LoadReport> {
  const sums = new Sums();
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const count = (status: string) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const nextAsk = asksOf(order, sums);

  const startedAt = Date.now();
  const start = performance.now();
  const hasTime = (inMs = 0) => performance.now() - start + inMs < order.durationMs;
  const waitMs = ({ retryAfter }: Answer) =>
    order.manners === "ignores" ? 0 : (retryAfter ?? 0.1) * 1_000;
  let unadvised = 0;
  const told = ({ status, retryAfter }: Answer) => {
    count(status);
    if (status === "503" && retryAfter === null) unadvised += 1;
  };
  const client = async () => {
    const connection = new Connection(order.port);
    while (hasTime()) {
      const ask = nextAsk();
      const began = performance.now();
      let sent = began;
      let answer = await connection.ask(ask.request);
      // An answer that was lost is asked for again: the same reference moves money once, and 409 says that it did. What was
      // turned away is sent again as long as there is time.
      let wasUnknown = false;
      for (
        let repeat = 0;
        repeat < repeatsMax && isOpen(answer, wasUnknown || hasTime(waitMs(answer)));
        repeat++
      ) {
        told(answer);
        wasUnknown ||= answer.isUnknown;
        await later(waitMs(answer));
        sent = performance.now();
        answer = await connection.ask(ask.request);
      }
      told(answer);
      if (answer.status !== "503") latencies.push(performance.now() - sent);
      if (answer.status.startsWith("2") || (wasUnknown && answer.status === "409")) ask.accepted();
      // Told to come back when it is over.
      if (answer.status === "503" && !hasTime(waitMs(answer))) break;
      if (order.everyMs !== undefined) await later(began + order.everyMs - performance.now());
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: order.connections }, client));

  latencies.sort((a, b) => a - b);
  return {
    startedAt,
    elapsedMs: performance.now() - start,
    statuses,
    unadvised,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    debits: asText(sums.debits),
    credits: asText(sums.credits),
  };
}

/** Whether a request is to be sent again: nobody knows what became of it, or it was turned away and may try once more. */
const isOpen = ({ status, isUnknown }: Answer, mayTry: boolean): boolean =>
  isUnknown || (status === "503" && mayTry);

const later = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));

function asksOf(order: LoadOrder, sums: Sums): () => Ask {
  const { work } = order;
  if (work.kind === "read") return reads(order, work);
  return work.kind === "bulk" ? bulks(order, work, sums) : transfers(order, work, sums);
}

function reads(order: LoadOrder, work: ReadWork): () => Ask {
  return () => ({
    request: get(`/balances/${pick(work.balances)}`, order.headers),
    accepted: () => undefined,
  });
}

function transfers(order: LoadOrder, work: TransferWork, sums: Sums): () => Ask {
  let sequence = 0;
  return () => {
    const { body, ...transfer } = transferOf(work, `${work.prefix}-${sequence++}`);
    const single = JSON.stringify({ ...body, skip_queue: work.skipQueue });
    return {
      request: post("/transactions", single, order.headers),
      accepted: () => sums.add(transfer),
    };
  };
}

function bulks(order: LoadOrder, { balances, items, prefix }: BulkWork, sums: Sums): () => Ask {
  const between = { sources: balances, destinations: balances };
  return () => {
    const transfers = Array.from({ length: items }, (_none, at) =>
      transferOf(between, `${prefix}-${at}`),
    );
    const body = JSON.stringify({ transactions: transfers.map((each) => each.body) });
    return {
      request: post("/transactions/bulk", body, order.headers),
      accepted: () => {
        for (const transfer of transfers) sums.add(transfer);
      },
    };
  };
}

interface Transfer {
  readonly source: string;
  readonly destination: string;
  /** Minor units. */
  readonly amount: bigint;
}

/** A transfer as an application sends it: an amount in major units and a little metadata. */
function transferOf(
  { sources, destinations }: Pick<TransferWork, "sources" | "destinations">,
  reference: string,
): Transfer & { readonly body: object } {
  const source = pick(sources);
  const destination = pick(destinations, source);
  const amount = 1 + Math.floor(Math.random() * 1_000);
  const body = {
    reference,
    source,
    destination,
    amount: amount / 100,
    precision: 100,
    currency: "USD",
    description: "Transfer between wallets",
    meta_data: { transaction_type: "transfer", channel: "bench" },
  };
  return { source, destination, amount: BigInt(amount), body };
}

/** A random one, but not `other`. */
function pick(from: readonly string[], other?: string): string {
  for (;;) {
    const picked = from[Math.floor(Math.random() * from.length)];
    if (picked !== undefined && picked !== other) return picked;
  }
}

function add(sums: Map<string, bigint>, key: string, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function asText(sums: Map<string, bigint>): Record<string, string> {
  return Object.fromEntries([...sums].map(([key, amount]) => [key, amount.toString()]));
}
