import { type Answer, get, post, type Value } from "./api";
import { unique } from "./ledger";
import { until } from "./until";

/** One transaction of a batch. Amounts are minor units; there are a hundred in a major one. */
export interface Item {
  readonly from: string;
  readonly to: string;
  readonly amount: bigint;
  readonly reference?: string;
  /** Anything else that the API takes, such as `allow_overdraft`. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Sends many transactions as one batch; `options` are those of the batch, such as `atomic`. */
export const sendBatch = (
  items: readonly Item[],
  options: Readonly<Record<string, unknown>> = {},
): Promise<Answer> =>
  post("/transactions/bulk", { transactions: items.map(itemBody), skip_queue: true, ...options });

/** A transaction of a batch as it is sent. */
export const itemBody = ({ from, to, amount, reference, options }: Item) => ({
  precise_amount: amount,
  precision: 100n,
  currency: "USD",
  reference: reference ?? unique("item"),
  description: "one of many",
  source: from,
  destination: to,
  ...options,
});

/** The batch once it is no longer carried out. */
export async function batchAtItsEnd(batchId: string): Promise<Answer> {
  return until(
    () => get(`/transactions/bulk/${batchId}`),
    ({ body }) => partOf(body, "status") !== "processing",
    () => `${batchId} is still carried out`,
  );
}

/** What a path such as `results`, 0, `status` leads to in a body; null when it leads nowhere. */
export function partOf(body: Value, ...path: readonly (string | number)[]): Value {
  let part: Value | undefined = body;
  for (const step of path) {
    if (Array.isArray(part)) part = typeof step === "number" ? part[step] : undefined;
    else if (typeof part === "object" && part !== null) part = part[step];
    else part = undefined;
  }
  return part ?? null;
}
