/** The bench's load process: takes one order after another over IPC and reports what happened. */
import { Connection } from "./connection.ts";
import type { LoadOrder, LoadReport, ReadWork, TransferWork } from "./protocol.ts";

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

async function carryOut(order: LoadOrder): Promise<LoadReport> {
  const debits = new Map<string, bigint>();
  const credits = new Map<string, bigint>();
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const count = (status: string) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const nextAsk =
    order.work.kind === "read"
      ? reads(order, order.work)
      : transfers(order, order.work, debits, credits);

  const startedAt = Date.now();
  const start = performance.now();
  const client = async () => {
    const connection = new Connection(order.port);
    while (performance.now() - start < order.durationMs) {
      const ask = nextAsk();
      const sent = performance.now();
      let status = await connection.ask(ask.request);
      // An answer that was lost is asked for again: the same reference moves money once, and 409 says that it did.
      let wasLost = false;
      for (let repeat = 0; status === "lost" && repeat < repeatsMax; repeat++) {
        wasLost = true;
        count("lost");
        await new Promise((later) => setTimeout(later, 100));
        status = await connection.ask(ask.request);
      }
      latencies.push(performance.now() - sent);
      count(status);
      if (status.startsWith("2") || (wasLost && status === "409")) ask.accepted();
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: order.connections }, client));

  latencies.sort((a, b) => a - b);
  return {
    startedAt,
    elapsedMs: performance.now() - start,
    statuses,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    debits: asText(debits),
    credits: asText(credits),
  };
}

function reads(order: LoadOrder, work: ReadWork): () => Ask {
  return () => ({
    request: get(`/balances/${pick(work.balances)}`, order.headers),
    accepted: () => undefined,
  });
}

function transfers(
  order: LoadOrder,
  work: TransferWork,
  debits: Map<string, bigint>,
  credits: Map<string, bigint>,
): () => Ask {
  let sequence = 0;
  return () => {
    const source = pick(work.sources);
    const destination = pick(work.destinations, source);
    const amount = 1 + Math.floor(Math.random() * 1_000);
    const reference = `${work.prefix}-${sequence++}`;
    const transfer = { reference, source, destination, ...fields(amount, work.skipQueue) };
    return {
      request: post("/transactions", JSON.stringify(transfer), order.headers),
      accepted: () => {
        add(debits, source, BigInt(amount));
        add(credits, destination, BigInt(amount));
      },
    };
  };
}

/** A transfer as an application sends it: an amount in major units and a little metadata. */
function fields(amount: number, skipQueue: boolean) {
  return {
    amount: amount / 100,
    precision: 100,
    currency: "USD",
    description: "Transfer between wallets",
    meta_data: { transaction_type: "transfer", channel: "bench" },
    skip_queue: skipQueue,
  };
}

function get(path: string, headers: Readonly<Record<string, string>>): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headerLines(headers)}\r\n`;
}

/** Bodies here are ASCII, so characters are bytes. */
function post(path: string, body: string, headers: Readonly<Record<string, string>>): string {
  const own = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${own}${headerLines(headers)}\r\n${body}`;
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
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
