import { type BalanceId, isTransactionId, type TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { type Piece, providerOf, type Traced } from "../../domain/lineage";
import { settlesHold } from "../../domain/saga";
import type { Posting } from "../../domain/transaction";
import type { Lineage, TracedAnswer } from "../balance/protocol";
import type { Lanes } from "./lanes";
import { type Moving, operationOf, type SideName } from "./operations";

const SIDES = ["source", "destination"] as const;

/** When a side of a member may be asked, and who is told that it was. */
interface AskingTurn {
  readonly after: Promise<unknown> | undefined;
  over(): void;
}

/** What tracing needs of its shard. */
export interface TracingHost {
  checkpoint(step: string): void | Promise<void>;
}

/**
 * Asks balances that track their funds whose money the members of a group have moved, once it is posted: what a destination receives is known
 * only when the source has said. Each balance works it out once and tells repeats the same, so a crash anywhere is followed
 * by the same answers. Records that stand alone need not ask: their balances say so when they apply them.
 */
export class Tracing {
  readonly #lanes: Lanes;
  readonly #host: TracingHost;

  constructor(parts: { readonly lanes: Lanes; readonly host: TracingHost }) {
    this.#lanes = parts.lanes;
    this.#host = parts.host;
  }

  /**
   * Whose money each member moved, in their order: what one of them brings into a balance can be spent by those after it.
   * Answers by the members' ids.
   *
   * @param tracks the balances that track their funds
   */
  async trace(
    members: readonly Moving[],
    tracks: ReadonlySet<BalanceId>,
  ): Promise<Map<TransactionId, Traced>> {
    const traced = new Map<TransactionId, Traced>();
    const arrived = new Map<BalanceId, Promise<unknown>>();
    /** When the last of the earlier members that move a balance has asked it: a balance hears of them in their order. */
    const asked = new Map<BalanceId, Promise<unknown>>();
    const ends = members.map(async (member) => {
      const { source, destination, transactionId } = member.posting;
      const others = arrived.get(destination.balanceId);
      const [left, came] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const turns = {
        source: {
          after: Promise.all([arrived.get(source.balanceId), asked.get(source.balanceId)]),
          over: left.resolve,
        },
        destination: { after: asked.get(destination.balanceId), over: came.resolve },
      };
      asked.set(source.balanceId, left.promise);
      asked.set(destination.balanceId, came.promise);
      const end = this.#trace(member, tracks, turns);
      arrived.set(destination.balanceId, Promise.all([others, end]));
      const found = await end;
      if (found !== null) traced.set(transactionId, found);
    });
    await Promise.all(ends);
    return traced;
  }

  /** @param turns the source's comes when it is known, too, what earlier members brought into it */
  async #trace(
    member: Moving,
    tracks: ReadonlySet<BalanceId>,
    turns: Readonly<Record<SideName, AskingTurn>>,
  ): Promise<Traced | null> {
    const { posting } = member;
    const tracking = (side: SideName): boolean => tracks.has(posting[side].balanceId);
    for (const side of SIDES) if (!tracking(side)) turns[side].over();
    if (!SIDES.some(tracking)) return null;
    const ask = async (side: SideName, lineage: Lineage | null): Promise<TracedAnswer | null> => {
      if (!tracking(side)) return null;
      await turns[side].after;
      const answer = this.#ask(member, side, lineage);
      turns[side].over();
      return answer;
    };
    const out = await ask("source", null);
    await this.#host.checkpoint("trace:released");
    const into = await ask("destination", lineageInto(posting, out));
    await this.#host.checkpoint("trace:received");
    return tracedOf(out, into);
  }

  async #ask(member: Moving, side: SideName, lineage: Lineage | null): Promise<TracedAnswer> {
    const change = operationOf(member, side, lineage);
    const { skipQueue } = member.posting;
    const { answer } = await this.#lanes.submit(
      member.posting[side].balanceId,
      { kind: "trace", op: change.op, change },
      skipQueue ? "client" : "nobody",
    );
    invariant(
      answer.outcome === "traced",
      answer.outcome === "fault" ? answer.message : "what was posted is traced",
    );
    return answer;
  }
}

/** What a source is told beside a change: the hold that it settles; null when it settles none. */
export function lineageOutOf(posting: Posting): Lineage | null {
  const { parentTransaction } = posting;
  if (!settlesHold(posting)) return null;
  invariant(isTransactionId(parentTransaction), "a settlement has its hold");
  return { hold: parentTransaction, received: null };
}

/**
 * What a destination is told: also whose money comes in. Null when there is nothing to tell.
 *
 * @param out what the source said; null when it does not track its funds
 * @param givenBack what a refund gives back, as far as it was known whose it was
 */
export function lineageInto(
  posting: Posting,
  out: TracedAnswer | null,
  givenBack: readonly Piece[] = [],
): Lineage | null {
  const settling = lineageOutOf(posting);
  const received = out?.pieces ?? (settling === null ? namedBy(posting, givenBack) : null);
  if (settling !== null) return { ...settling, received };
  return received === null || received.length === 0
    ? null
    : { hold: posting.transactionId, received };
}

/** Whose money a source brings that does not track its funds. */
function namedBy(
  { kind, metaData, preciseAmount }: Posting,
  givenBack: readonly Piece[],
): readonly Piece[] {
  if (kind === "refund") return givenBack;
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
