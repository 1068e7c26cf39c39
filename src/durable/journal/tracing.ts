import type { BalanceId } from "../../domain/ids";
import { isTransactionId, type TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { type Piece, providerOf, type Traced } from "../../domain/lineage";
import { actionOf, settlesHold } from "../../domain/saga";
import type { Posting } from "../../domain/transaction";
import type { Answer, TraceOperation } from "../balance/protocol";
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

  /**
   * Whose money it was; null when the balances know of nobody.
   *
   * @param givenBack what a refund gives back, as far as it was known whose it was
   */
  async trace(
    moving: Moving,
    tracked: Tracked,
    givenBack: readonly Piece[] = [],
  ): Promise<Traced | null> {
    const out = tracked.source ? await this.#ask(moving, "source", null) : null;
    await this.#host.checkpoint("trace:released");
    const incoming = out?.pieces ?? incomingOf(moving.posting, givenBack);
    const into = tracked.destination ? await this.#ask(moving, "destination", incoming) : null;
    await this.#host.checkpoint("trace:received");
    const traced = {
      released: out?.pieces ?? [],
      received: into?.pieces ?? [],
      strategy: out?.strategy ?? "",
      identityId: into?.identityId ?? "",
      passedOn: out !== null,
    };
    return traced.released.length + traced.received.length === 0 ? null : traced;
  }

  /**
   * The same for the members of a group, in their order: what one of them brings into a balance can be spent by those after
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
        .then(() => this.trace(member, sides))
        .then((found) => found !== null && traced.set(transactionId, found));
      ends.push(end);
      const others = arrived.get(destination.balanceId);
      arrived.set(destination.balanceId, Promise.all([others, end]));
    }
    await Promise.all(ends);
    return traced;
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

/** What comes from a source that does not track its funds. */
function incomingOf(posting: Posting, givenBack: readonly Piece[]): readonly Piece[] | null {
  if (settlesHold(posting)) return null;
  if (posting.kind === "refund") return givenBack;
  const provider = providerOf(posting.metaData);
  return provider === null ? [] : [{ provider, amount: posting.preciseAmount }];
}

/** The hold that a record is, or settles. */
function holdOf(posting: Posting): TransactionId {
  const { parentTransaction, transactionId } = posting;
  if (!settlesHold(posting)) return transactionId;
  invariant(isTransactionId(parentTransaction), "a settlement has its hold");
  return parentTransaction;
}

function asTraced(answer: Answer): Extract<Answer, { outcome: "traced" }> {
  invariant(
    answer.outcome === "traced",
    answer.outcome === "fault" ? answer.message : "what was applied is traced",
  );
  return answer;
}
