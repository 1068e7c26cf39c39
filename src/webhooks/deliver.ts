import { err, ok, type Result } from "../domain/result";
import { checkEndpoint, type EndpointRules } from "./endpoint";
import { signatureHeaders } from "./sign";

/** How deliveries are made, the same for all. */
export interface DeliverySettings extends EndpointRules {
  /** The master key, which signs; null sends without a signature. */
  readonly signingKey: string | null;
  /** How long a receiver may take to answer. */
  readonly timeoutMs: number;
}

/** One body for one endpoint. */
export interface Delivery {
  readonly endpoint: string;
  /** The event's id, by which a receiver knows a body that it has had already. */
  readonly id: string;
  readonly body: string;
}

/** Why a body does not count as delivered. */
export interface NotDelivered {
  /** In words, for the log. */
  readonly reason: string;
  /** Whether the receiver gave no answer at all, so that it would most likely give none to others either. */
  readonly isAway: boolean;
}

/**
 * Sends a body once. The value is the status that the receiver answered, 200 to 299; the error says why it does not
 * count as delivered. Redirects are not followed, the answer's body is not read.
 */
export async function deliver(
  { endpoint, id, body }: Delivery,
  settings: DeliverySettings,
): Promise<Result<number, NotDelivered>> {
  const url = checkEndpoint(endpoint, settings);
  if (!url.ok) return err({ reason: `the address ${url.error}`, isAway: false });

  const at = new Date();
  const signature =
    settings.signingKey === null
      ? {}
      : await signatureHeaders({ id, body, at }, settings.signingKey);
  try {
    const response = await fetch(url.value, {
      method: "POST",
      headers: { "Content-Type": "application/json", "webhook-id": id, ...signature },
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(settings.timeoutMs),
    });
    await response.body?.cancel();
    if (response.ok) return ok(response.status);
    return err({ reason: `the receiver answered ${response.status}`, isAway: false });
  } catch (error) {
    return err({ reason: reasonOf(error, settings), isAway: true });
  }
}

function reasonOf(error: unknown, { timeoutMs }: DeliverySettings): string {
  if (!(error instanceof Error)) return "the request failed";
  return error.name === "TimeoutError"
    ? `the receiver did not answer within ${timeoutMs / 1000} s`
    : `the request failed: ${error.message}`;
}
