import type { LedgerEvent } from "../domain/event";
import type { Instant } from "../domain/time";
import type { LedgerContext } from "./context";

/** An event to be stored in the batch of the row that it tells of, and to be sent once that is written. */
interface Announcer {
  /** Null when nobody listens. */
  readonly told: { readonly event: LedgerEvent; readonly at: Instant } | null;
  announce(): void;
}

/** The event of a change, made only when somebody listens. */
export function announcer(ctx: LedgerContext, make: () => LedgerEvent): Announcer {
  const send = ctx.announce;
  if (send === null) return { told: null, announce: () => undefined };
  const event = make();
  return { told: { event, at: ctx.now() }, announce: () => send(event) };
}
