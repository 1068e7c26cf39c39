import type { Value } from "../support/api";
import type { App } from "../support/app";
import type { Account, Currency, Movement, Post, Request, Send, Split } from "./plan";

/** What a client must know to write a request: how its ledger names things. */
export interface Names {
  /** The id, or the `@indicator`, of a balance. */
  account(account: Account): string;
  /** The id of what was posted under a reference. */
  transaction(reference: string): string;
  /** The id of the balance of an account, also where it is named by its indicator. */
  balance(account: Account, currency?: Currency): string;
  /** The id of the batch that a request was answered with; one that nothing has when there is none. */
  batch(name: string): string;
}

/** What a client was told. `unknown`: an error that says neither yes nor no. */
export type Told =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly code: string;
      readonly body: Value;
      /** Whether a list says that it may be behind. */
      readonly isBehind: boolean;
    }
  /** `code` is "" when it came without one, which no answer may; null when no answer came. */
  | { readonly kind: "unknown"; readonly why: string; readonly code: string | null };

export type Answer = Extract<Told, { kind: "answer" }>;

/** A request and the moment of its first sending, in milliseconds: its dates count from there. */
interface Sent extends Send {
  readonly sentMs: number;
}

/** Sends a request once over HTTP. Never throws. */
export async function ask(app: App, names: Names, send: Sent): Promise<Told> {
  const { method, path, body } = httpOf(send, names);
  const key = isNamed(send) ? { key: send.name } : {};
  try {
    const { status, headers, body: told } = await app(method, path, { body, ...key });
    const code = codeIn(told);
    if (status >= 500) return { kind: "unknown", why: `${status} ${code}`, code };
    const isBehind = headers.get("X-Purser-Behind") === "true";
    return { kind: "answer", status, code, body: told, isBehind };
  } catch (error) {
    return { kind: "unknown", why: String(error), code: "" };
  }
}

/** Whether a request has a key. Settlements and refunds always have one: what they made could not be found otherwise. */
export const isNamed = ({ request, keyed }: Send): boolean => {
  switch (request.kind) {
    case "post":
    case "split":
    case "bulk":
      return keyed;
    case "preview":
    case "look":
    case "look up":
    case "weigh":
    case "list":
    case "cancel":
    case "recover":
      return false;
    default:
      return true;
  }
};

interface Http {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

function httpOf(
  { request, name, sentMs }: Pick<Sent, "request" | "name" | "sentMs">,
  names: Names,
): Http {
  switch (request.kind) {
    case "preview": {
      const { body, ...rest } = httpOf({ request: request.of, name, sentMs }, names);
      return { ...rest, body: { ...body, dry_run: true } };
    }
    case "post":
      return {
        method: "POST",
        path: "/transactions",
        body: postBody(request, { name, sentMs }, names),
      };
    case "split":
      return { method: "POST", path: "/transactions", body: splitBody(request, name, names) };
    case "bulk": {
      const { items, atomic, inflight, skipQueue, runAsync } = request;
      const transactions = items.map((item) => movementBody(item, name, names));
      const body = { transactions, atomic, inflight, skip_queue: skipQueue, run_async: runAsync };
      return { method: "POST", path: "/transactions/bulk", body };
    }
    default:
      return followUpOf(request, name, names);
  }
}

function followUpOf(
  request: Exclude<Request, { readonly kind: "post" | "split" | "bulk" | "preview" }>,
  name: string,
  names: Names,
): Http {
  switch (request.kind) {
    case "commit":
    case "void": {
      const { kind: status, amount, skipQueue: skip_queue } = request;
      const path = `/transactions/inflight/${names.transaction(request.reference)}`;
      return { method: "PUT", path, body: { status, skip_queue, ...amountBody(amount) } };
    }
    case "refund": {
      const { reference, amount, skipQueue: skip_queue } = request;
      const path = `/refund-transaction/${names.transaction(reference)}`;
      const body = { skip_queue, description: name, ...amountBody(amount) };
      return { method: "POST", path, body };
    }
    case "commit-many": {
      const transactions = request.references.map((each, index) => ({
        transaction_id: names.transaction(each),
        ...amountBody(request.amounts[index] ?? null),
      }));
      const body = { transactions, skip_queue: request.skipQueue };
      return { method: "POST", path: "/transactions/inflight/bulk/commit", body };
    }
    case "void-many": {
      const transaction_ids = request.references.map((each) => names.transaction(each));
      const body = { transaction_ids, skip_queue: request.skipQueue };
      return { method: "POST", path: "/transactions/inflight/bulk/void", body };
    }
    case "commit-batch":
    case "void-batch": {
      const status = request.kind === "commit-batch" ? "commit" : "void";
      const path = `/transactions/inflight/${names.batch(request.batch)}`;
      return { method: "PUT", path, body: { status, skip_queue: request.skipQueue } };
    }
    case "cancel":
      return { method: "DELETE", path: `/transactions/${names.transaction(request.reference)}` };
    case "look":
      return { method: "GET", path: `/transactions/${names.transaction(request.reference)}` };
    case "look up":
      return { method: "GET", path: `/transactions/reference/${request.reference}` };
    case "weigh":
      return { method: "GET", path: `/balances/${names.balance(request.account)}` };
    case "list":
      return { method: "GET", path: `/${request.what}?limit=1000` };
    case "recover":
      return { method: "POST", path: "/transactions/recover?threshold=2m" };
  }
}

const amountBody = (amount: bigint | null) => (amount === null ? {} : { precise_amount: amount });

function movementBody(
  { reference, from, to, amount, limit, currency }: Movement,
  name: string,
  names: Names,
) {
  return {
    ...plainBody(reference, amount, name),
    currency,
    source: names.account(from),
    destination: names.account(to),
    ...(from === "@world" ? { allow_overdraft: true } : {}),
    ...(from !== "@world" && limit > 0n ? { overdraft_limit: limit } : {}),
  };
}

const plainBody = (reference: string, amount: bigint, description: string) => ({
  reference,
  precise_amount: amount,
  precision: 1,
  currency: "USD",
  description,
});

const DUE_FIELDS = {
  start: "scheduled_for",
  expire: "inflight_expiry_date",
  commit: "inflight_commit_date",
} as const;

function postBody(post: Post, { name, sentMs }: Pick<Sent, "name" | "sentMs">, names: Names) {
  const { inflight, skipQueue, due } = post;
  const date = due === null ? {} : { [DUE_FIELDS[due.what]]: rfc3339(sentMs + due.afterMs) };
  return { ...movementBody(post, name, names), inflight, skip_queue: skipQueue, ...date };
}

const rfc3339 = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");

function splitBody(split: Split, name: string, names: Names) {
  const { reference, side, one, many, percent, amount, inflight, skipQueue } = split;
  const each = percent
    ? { distribution: "33.3%" }
    : { precise_distribution: (amount / BigInt(many.length)).toString() };
  const shares = many.map((account, index) => ({
    identifier: names.account(account),
    ...(index === many.length - 1 ? { distribution: "left" } : each),
  }));
  const other = side === "sources" ? "destination" : "source";
  return {
    ...plainBody(reference, amount, name),
    [side]: shares,
    [other]: names.account(one),
    inflight,
    skip_queue: skipQueue,
  };
}

function codeIn(body: Value): string {
  const detail = fieldIn(body, "error_detail");
  const code = detail === undefined ? undefined : fieldIn(detail, "code");
  return typeof code === "string" ? code : "";
}

/** A field of a body that may have it. */
export function fieldIn(body: Value, name: string): Value | undefined {
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  return isObject ? body[name] : undefined;
}

/** The id of the batch that an answer is about; null when it is about none. */
export function batchIdIn(told: Told): string | null {
  if (told.kind === "unknown") return null;
  const id = fieldIn(told.body, "batch_id");
  return typeof id === "string" ? id : null;
}
