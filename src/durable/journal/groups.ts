import { type LedgerError, refusal } from "../../domain/error";
import type { BalanceId, TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import { settledStatus } from "../../domain/saga";
import type { Answer, MoneyOperation } from "../balance/protocol";
import { succeed, writeRefusal } from "./endings";
import type { Lanes } from "./lanes";
import { hopeless, operationId, operationOf } from "./operations";
import type { Records } from "./records";
import { type Claim, type Driven, isUnfinished, type Row, Work } from "./row";
import type { JournalStore } from "./store";

/** What a group's shard says to another shard about the references that the group takes. */
export interface ClaimRequest {
  readonly group: string;
  readonly attempt: string;
  readonly coordinator: number;
  readonly claims: readonly Claim[];
}

/** Whether all were taken, or the transaction that has one of them. */
export type ClaimAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly takenBy: TransactionId };

/** What groups need of their shard. */
export interface GroupsHost {
  readonly shard: number;
  checkpoint(step: string): void | Promise<void>;
  finished(row: Row): void;
  balanceMade(balanceId: BalanceId): void;
  /** Takes references in another shard; repeated until it is answered. */
  claim(shard: number, request: ClaimRequest): Promise<ClaimAnswer>;
  /** Tells another shard what became of them; repeated until it is answered. */
  settleClaims(shard: number, request: ClaimRequest, commit: boolean): Promise<void>;
}

type Posted = Extract<Answer, { outcome: "posted" }>;

/**
 * Drives a split: all of its legs move or none. Two phases with the parent's row as the coordinator's log:
 * claim every reference and reserve in every balance, decide in one write, then post or release everywhere.
 * Every step can be repeated, and after the decision nothing can be refused.
 */
export class Groups {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #lanes: Lanes;
  readonly #host: GroupsHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly lanes: Lanes;
    readonly host: GroupsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#lanes = parts.lanes;
    this.#host = parts.host;
  }

  /** Drives the group to its end. */
  async drive(parent: Row): Promise<Driven> {
    const legs = this.#records.legsOf(parent);
    if (parent.decision === null) await this.#decide(parent, legs);
    const { decision } = parent;
    invariant(decision !== null, "a group is decided before it ends");
    if (decision.commit) {
      await this.#commit(parent, legs);
      return { done: true, row: parent };
    }
    await this.#abort(parent, legs, decision.error);
    return parent.posting.skipQueue
      ? { done: false, row: parent, error: decision.error }
      : { done: true, row: parent };
  }

  async #decide(parent: Row, legs: readonly Row[]): Promise<void> {
    await this.#host.checkpoint("group:begun");
    const error =
      firstRefusal(legs) ?? (await this.#claim(parent)) ?? (await this.#reserve(parent, legs));
    // The point of no return: what is written here holds, whatever crashes.
    parent.decision = error === null ? { commit: true } : { commit: false, error };
    this.#store.transaction(() => this.#store.save(parent));
    await this.#host.checkpoint("group:decided");
  }

  /** Takes the legs' references, shard by shard in one order, so that two groups never wait in a circle. */
  async #claim(parent: Row): Promise<LedgerError | null> {
    for (const [shard, request] of this.#claimsByShard(parent)) {
      const answer = await this.#host.claim(shard, request);
      await this.#host.checkpoint("group:claimed");
      if (answer.ok) continue;
      return refusal("TXN_DUPLICATE_REFERENCE", "the reference of a leg has been used before", {
        transaction_id: answer.takenBy,
      });
    }
    return null;
  }

  async #reserve(parent: Row, legs: readonly Row[]): Promise<LedgerError | null> {
    const op = keyOf(parent);
    const answers = await Promise.all(
      [...byBalance(legs)].map(async ([balanceId, changes]) => {
        const { answer } = await this.#lanes.submit(balanceId, { kind: "reserve", op, changes });
        return { answer, changes };
      }),
    );
    await this.#host.checkpoint("group:reserved");
    const refusals = answers.flatMap(({ answer, changes }) => {
      if (answer.outcome === "reserved") return [];
      invariant(answer.outcome === "refused", "a reservation is made or refused");
      const refused = changes[answer.index ?? 0]?.transactionId;
      return [{ at: legs.findIndex((leg) => leg.posting.transactionId === refused), answer }];
    });
    // The first leg that cannot be paid names the reason, whatever balance answered first.
    const [first] = refusals.sort((a, b) => a.at - b.at);
    return first === undefined ? null : first.answer.error;
  }

  async #commit(parent: Row, legs: readonly Row[]): Promise<void> {
    const open = legs.some(isUnfinished);
    if (open) {
      const versions = await this.#post(parent, legs);
      await this.#host.checkpoint("group:posted");
      for (const leg of legs) {
        if (!isUnfinished(leg)) continue;
        const sourceVersion = versions.get(operationId(leg, "source"));
        const destinationVersion = versions.get(operationId(leg, "destination"));
        invariant(
          sourceVersion !== undefined && destinationVersion !== undefined,
          "a posted leg has a version on each side",
        );
        succeed(leg, { sourceVersion, destinationVersion });
        this.#host.finished(leg);
      }
    }
    await this.#settleClaims(parent, true);
    if (!isUnfinished(parent)) return;
    parent.status = settledStatus(parent.posting);
    parent.revision += 1;
    // Nothing of its own is projected or announced: its legs are. The flusher writes its end.
    parent.work = Work.Project;
    parent.doubt = false;
    this.#host.finished(parent);
  }

  async #post(parent: Row, legs: readonly Row[]): Promise<Map<string, number>> {
    const op = keyOf(parent);
    const versions = new Map<string, number>();
    await Promise.all(
      [...byBalance(legs)].map(async ([balanceId, changes]) => {
        const { answer } = await this.#lanes.submit(balanceId, { kind: "post", op, changes });
        const posted = asPosted(answer);
        if (posted.created) this.#host.balanceMade(balanceId);
        for (const [index, change] of changes.entries()) {
          versions.set(change.op, posted.versions[index] ?? 0);
        }
      }),
    );
    return versions;
  }

  async #abort(parent: Row, legs: readonly Row[], error: LedgerError): Promise<void> {
    if (!isUnfinished(parent)) return;
    const op = keyOf(parent);
    await Promise.all(
      [...byBalance(legs).keys()].map((balanceId) =>
        this.#lanes.submit(balanceId, { kind: "release", op }),
      ),
    );
    await this.#host.checkpoint("group:released");
    await this.#settleClaims(parent, false);
    this.#store.transaction(() => {
      for (const leg of legs) writeRefusal(this.#store, leg, error);
      writeRefusal(this.#store, parent, error);
      if (parent.posting.skipQueue) return;
      parent.work = 0;
      this.#store.save(parent);
    });
    if (parent.posting.skipQueue) for (const row of [...legs, parent]) this.#records.drop(row);
    else for (const leg of legs) this.#host.finished(leg);
    await this.#host.checkpoint("group:refused");
  }

  async #settleClaims(parent: Row, commit: boolean): Promise<void> {
    for (const [shard, request] of this.#claimsByShard(parent)) {
      await this.#host.settleClaims(shard, request, commit);
      await this.#host.checkpoint("group:claims-settled");
    }
  }

  #claimsByShard(parent: Row): [number, ClaimRequest][] {
    const shards = [...new Set(parent.claims.map(({ shard }) => shard))].sort((a, b) => a - b);
    return shards.map((shard) => [
      shard,
      {
        group: parent.posting.transactionId,
        attempt: parent.attempt,
        coordinator: this.#host.shard,
        claims: parent.claims
          .filter((claim) => claim.shard === shard)
          .sort((a, b) => (a.posting.transactionId < b.posting.transactionId ? -1 : 1)),
      },
    ]);
  }
}

/** The id of a group's reservations: another life of its reference has another attempt. */
const keyOf = (parent: Row): string => `${parent.posting.transactionId}.${parent.attempt}`;

function firstRefusal(legs: readonly Row[]): LedgerError | null {
  for (const { posting } of legs) {
    const error = hopeless(posting);
    if (error !== null) return error;
  }
  return null;
}

/** Each balance's changes, in the order of the legs. */
function byBalance(legs: readonly Row[]): Map<BalanceId, MoneyOperation[]> {
  const changes = new Map<BalanceId, MoneyOperation[]>();
  for (const leg of legs) {
    for (const side of ["source", "destination"] as const) {
      const { balanceId } = leg.posting[side];
      const list = changes.get(balanceId) ?? [];
      changes.set(balanceId, list);
      list.push(operationOf(leg, side));
    }
  }
  return changes;
}

function asPosted(answer: Answer): Posted {
  invariant(
    answer.outcome === "posted",
    answer.outcome === "fault" ? answer.message : "what is reserved for is posted",
  );
  return answer;
}
