import type { Movement, Step } from "./story.ts";

/** A transaction as answers and lists show it. Amounts here are small enough for a double. */
export interface Shown {
  readonly transaction_id: string;
  readonly parent_transaction: string;
  readonly reference: string;
  readonly currency: string;
  readonly source: string;
  readonly destination: string;
  readonly status: string;
  readonly precise_amount: number;
  readonly inflight_remaining?: number;
}

/** An answer; its body is whatever the route says. */
export interface Answer {
  readonly status: number;
  readonly replayed: boolean;
  readonly cursor: string | null;
  readonly text: string;
}

/** Sends one request to a server; null when no answer came, which says nothing about what happened. */
export type Ask = (request: Request) => Promise<Answer | null>;

/** A request as it goes out, and again. */
export interface Request {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: object;
  readonly key?: string | null;
}

/** A way to ask a server. */
export const askAt =
  (baseUrl: string, masterKey: string): Ask =>
  async ({ method, path, body, key = null }) => {
    try {
      const response = await fetch(baseUrl + path, {
        method,
        headers: {
          "X-Blnk-Key": masterKey,
          "Content-Type": "application/json",
          ...(key === null ? {} : { "Idempotency-Key": key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const { status, headers } = response;
      const replayed = headers.get("Idempotent-Replayed") === "true";
      return {
        status,
        replayed,
        cursor: headers.get("X-Next-Cursor"),
        text: await response.text(),
      };
    } catch {
      return null;
    }
  };

/** The request of a step; `idOf` knows the ids of what was posted before. */
export function requestOf(step: Step, idOf: (reference: string) => string): Request {
  switch (step.kind) {
    case "post": {
      const { movement, inflight, skipQueue, key } = step;
      const body = { ...movementBody(movement), inflight, skip_queue: skipQueue };
      return { method: "POST", path: "/transactions", body, key };
    }
    case "bulk": {
      const { movements, how, key } = step;
      const body = { transactions: movements.map(movementBody), ...how };
      return { method: "POST", path: "/transactions/bulk", body, key };
    }
    case "refund": {
      const body = { skip_queue: step.skipQueue };
      return { method: "POST", path: `/refund-transaction/${idOf(step.of)}`, body, key: step.key };
    }
    default: {
      const { kind: status, of, minor, skipQueue: skip_queue, key } = step;
      const amount = minor === null ? {} : { precise_amount: Number(minor) };
      const path = `/transactions/inflight/${idOf(of)}`;
      return { method: "PUT", path, body: { status, skip_queue, ...amount }, key };
    }
  }
}

/** A movement as a body; an indicator may owe anything. */
export const movementBody = (movement: Movement) => ({
  reference: movement.reference,
  source: movement.source,
  destination: movement.destination,
  currency: movement.currency,
  precise_amount: Number(movement.minor),
  precision: 100,
  description: "a transfer under fire",
  allow_overdraft: movement.source.startsWith("@"),
});
