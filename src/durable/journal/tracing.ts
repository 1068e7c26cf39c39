import type { BalanceId } from "../../domain/ids";
import { isTransactionId, type TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { type Piece, providerOf, type Traced } from "../../domain/lineage";
import { actionOf, settlesHold } from "../../domain/saga";
import type { Posting } from "../../domain/transaction";
import type { Answer, Incoming, TracedAnswer, TraceOperation } from "../balance/protocol";
import type { Lanes } from "./lanes";
import { type Moving, operationId, type SideName } from "./operations";

/** Which sides of a record track their funds. */
export type Tracked = Readonly<Record<SideName, boolean>>;

/** What tracing needs of its shard. */
export interface TracingHost {
  checkpoint(step: string): void | Promise<void>;
}

/**
 * Asks the balances that track their funds whose money a record has moved, once it has moved it. Each balance works it out
 * once and tells repeats the same, so a crash anywhere is followed by the same answers.
 */
export class Tracing {
  readonly #lanes: Lanes;
  readonly #host: TracingHost;

  constructor(parts: { readonly lanes: Lanes; readonly host: TracingHost }) {
    this.#lanes = parts.lanes;
    this.#host = parts.host;
  }

  /** Whose money left the source of a record; null when it does not track that. */
  async released(moving: Moving, tracked: boolean): Promise<TracedAnswer | null> {
    if (!tracked) return null;
    const out = await this.#ask(moving, "source", null);
    await this.#host.checkpoint("trace:released");
    return out;
  }

  /**
   * Whose money each of the members of a group moved, in their order: what one of them brings into a balance can be spent by those after
   * it. Answers by the members' ids.
   */
  async traceAll(
    members: readonly Moving[],
    tracks: ReadonlySet<BalanceId>,
  ): Promise<Map<TransactionId, Traced>> {
    const traced = new Map<TransactionId, Traced>();
    const arrived = new Map<BalanceId, Promise<unknown>>();
    const ends: Promise<unknown>[] = [];
    for (const member of members) {
      const { source, destination, transactionId } = member.posting;
      const sides = {
        source: tracks.has(source.balanceId),
        destination: tracks.has(destination.balanceId),
      };
      if (!sides.source && !sides.destination) continue;
      const before = arrived.get(source.balanceId) ?? Promise.resolve();
      const end = before
        .then(() => this.#trace(member, sides))
        .then((found) => found !== null && traced.set(transactionId, found));
      ends.push(end);
      const others = arrived.get(destination.balanceId);
      arrived.set(destination.balanceId, Promise.all([others, end]));
    }
    await Promise.all(ends);
    return traced;
  }

  async #trace(moving: Moving, tracked: Tracked): Promise<Traced | null> {
    const out = await this.released(moving, tracked.source);
    const { received = null } = incomingOf(moving.posting, out) ?? {};
    const into = tracked.destination
      ? await this.#ask(moving, "destination", received ?? [])
      : null;
    await this.#host.checkpoint("trace:received");
    return tracedOf(out, into);
  }

  async #ask(moving: Moving, side: SideName, received: readonly Piece[] | null) {
    const { posting } = moving;
    const operation: TraceOperation = {
      kind: "trace",
      op: operationId(moving, side),
      side,
      action: actionOf(posting),
      amount: posting.preciseAmount,
      hold: holdOf(posting),
      received,
    };
    const { answer } = await this.#lanes.submit(
      posting[side].balanceId,
      operation,
      posting.skipQueue ? "client" : "nobody",
    );
    return asTraced(answer);
  }
}

/**
 * Whose money a record brings to its destination; null when nobody knows of any.
 *
 * @param out what the source said; null when it does not track its funds
 * @param givenBack what a refund gives back, as far as it was known whose it was
 */
export function incomingOf(
  posting: Posting,
  out: TracedAnswer | null,
  givenBack: readonly Piece[] = [],
): Incoming | null {
  const hold = holdOf(posting);
  if (out !== null) return { hold, received: out.pieces };
  if (settlesHold(posting)) return { hold, received: null };
  const received = posting.kind === "refund" ? givenBack : namedBy(posting);
  return received.length === 0 ? null : { hold, received };
}

/** The provider that a transaction names. */
function namedBy({ metaData, preciseAmount }: Posting): Piece[] {
  const provider = providerOf(metaData);
  return provider === null ? [] : [{ provider, amount: preciseAmount }];
}

/** What both sides said; null when they know of nobody. */
export function tracedOf(out: TracedAnswer | null, into: TracedAnswer | null): Traced | null {
  const released = out?.pieces ?? [];
  const received = into?.pieces ?? [];
  if (released.length + received.length === 0) return null;
  const [strategy, identityId] = [out?.strategy ?? "", into?.identityId ?? ""];
  return { released, received, strategy, identityId, passedOn: out !== null };
}

/** The hold that a record is, or settles. */
function holdOf(posting: Posting): TransactionId {
  const { parentTransaction, transactionId } = posting;
  if (!settlesHold(posting)) return transactionId;
  invariant(isTransactionId(parentTransaction), "a settlement has its hold");
  return parentTransaction;
}

function asTraced(answer: Answer): TracedAnswer {
  invariant(
    answer.outcome === "traced",
    answer.outcome === "fault" ? answer.message : "what was applied is traced",
  );
  return answer;
}
