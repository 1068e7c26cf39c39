import type { LedgerError } from "../../domain/error";
import type { BalanceId, TransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Traced } from "../../domain/lineage";
import { hopeless, referenceUsed } from "../../domain/movement";
import type { Posting } from "../../domain/transaction";
import { atOnce } from "../at-once";
import type { Answer, MoneyOperation } from "../balance/protocol";
import type { Lanes } from "./lanes";
import { type Moving, operationId, operationOf } from "./operations";
import { parcels } from "./parcels";
import { overloaded } from "./replies";
import type { Claim, Decision, Outcome } from "./row";
import type { Tracing } from "./tracing";

const NONE: ReadonlyMap<TransactionId, Traced> = new Map();

/** So many balances of a group are asked at once, and so many shards told. */
const CALLS_AT_ONCE = 64;

/** What a group's shard asks of another shard: to take references for the group. */
export interface ClaimRequest {
  readonly group: string;
  readonly attempt: string;
  /** The shard of the group, which decides. */
  readonly coordinator: number;
  readonly claims: readonly Claim[];
  /** How long to wait for a record whose outcome decides, in milliseconds; absent: until it is known. */
  readonly patienceMs?: number | undefined;
}

/** Whether all were taken, or the transaction that has one of them. */
export type ClaimAnswer =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reference: string;
      readonly takenBy: TransactionId;
      /** It may still let go of it: that was not known when the patience was over. */
      readonly busy?: true;
    };

/** What became of a group, as another shard needs it to end the claims that it holds. */
export interface ClaimSettlement {
  readonly group: string;
  readonly attempt: string;
  /** The records that were claimed there. */
  readonly ids: readonly TransactionId[];
  readonly decision: Decision;
  /** Of each member that moved, by its id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** Records that move together or not at all, and the references that they take. */
export interface Group {
  readonly id: string;
  /** Drawn at every insertion: what an earlier life of a freed reference reserved never meets this one. */
  readonly attempt: string;
  /** In order: each balance sees its changes in this order. */
  readonly members: readonly Moving[];
  readonly claims: readonly Claim[];
  /**
   * How long it waits for others that are undecided, in milliseconds. Absent: until they have decided, which only a group may that
   * keeps nobody waiting but by its claims.
   */
  readonly patienceMs?: number | undefined;
}

/** Why a group is refused, and which member is the reason (-1 when none is). */
export interface GroupRefusal {
  readonly error: LedgerError;
  readonly index: number;
  /** Not all of its references were taken, so nobody was told of its records. */
  readonly untold?: true;
}

/** What the saga needs of its shard. */
export interface GroupSagaHost {
  readonly shard: number;
  checkpoint(step: string): void | Promise<void>;
  balanceMade(balanceId: BalanceId): void;
  /** Takes references in a shard; repeated until it is answered. */
  claim(shard: number, request: ClaimRequest): Promise<ClaimAnswer>;
  /** Tells a shard what became of them; repeated until it is answered. */
  settleClaims(shard: number, settlement: ClaimSettlement): Promise<void>;
}

/**
 * The two phases of a group, each step repeatable: prepare claims every reference and reserves in every balance;
 * after the decision, which its owner writes, post or release everywhere. Nothing is refused after the decision.
 */
export class GroupSaga {
  readonly #lanes: Lanes;
  readonly #tracing: Tracing;
  readonly #host: GroupSagaHost;

  constructor(parts: {
    readonly lanes: Lanes;
    readonly tracing: Tracing;
    readonly host: GroupSagaHost;
  }) {
    this.#lanes = parts.lanes;
    this.#tracing = parts.tracing;
    this.#host = parts.host;
  }

  /**
   * Null when every member can move; then all is reserved. Otherwise the first reason why not. `claimed` is told
   * when all references are taken: from then on whoever asks for a member waits for its outcome.
   */
  async prepare(group: Group, claimed?: () => void): Promise<GroupRefusal | null> {
    await this.#host.checkpoint("group:begun");
    const untold = firstHopeless(group.members) ?? (await this.#claim(group));
    if (untold !== null) return { ...untold, untold: true };
    claimed?.();
    return this.#reserve(group);
  }

  /** Carries out what was reserved for; answers what became of each member, by its id. */
  async post(group: Group): Promise<Map<string, Outcome>> {
    const op = keyOf(group);
    const versions = new Map<string, number>();
    const tracks = new Set<BalanceId>();
    await atOnce(CALLS_AT_ONCE, [...byBalance(group.members)], async ([balanceId, changes]) => {
      const { answer } = await this.#lanes.submit(balanceId, { kind: "post", op, changes });
      const posted = asPosted(answer);
      if (posted.created) this.#host.balanceMade(balanceId);
      if (posted.tracked === true) tracks.add(balanceId);
      for (const [index, change] of changes.entries()) {
        versions.set(change.op, posted.versions[index] ?? 0);
      }
    });
    await this.#host.checkpoint("group:posted");
    const traced = tracks.size === 0 ? NONE : await this.#tracing.trace(group.members, tracks);
    return new Map(
      group.members.map((member) => {
        const { transactionId } = member.posting;
        const outcome = {
          sourceVersion: versions.get(operationId(member, "source")) ?? 0,
          destinationVersion: versions.get(operationId(member, "destination")) ?? 0,
        };
        const whose = traced.get(transactionId);
        return [transactionId, whose === undefined ? outcome : { ...outcome, traced: whose }];
      }),
    );
  }

  /** Gives back what was reserved, also by calls that are still on their way. */
  async release(group: Group): Promise<void> {
    const op = keyOf(group);
    const balanceIds = new Set(
      group.members.flatMap(({ posting: { source, destination } }) => [
        source.balanceId,
        destination.balanceId,
      ]),
    );
    await atOnce(CALLS_AT_ONCE, [...balanceIds], (balanceId) =>
      this.#lanes.submit(balanceId, { kind: "release", op }),
    );
    await this.#host.checkpoint("group:released");
  }

  /** Tells every shard that holds a reference of the group what became of it. */
  async settleClaims(
    group: Group,
    decision: Decision,
    outcomes: ReadonlyMap<string, Outcome>,
  ): Promise<void> {
    const { id, attempt } = group;
    await atOnce(CALLS_AT_ONCE, claimsByShard(group), async ([shard, claims]) => {
      const ids = claims.map(({ posting }) => posting.transactionId);
      const mine = ids.flatMap((member) => {
        const outcome = outcomes.get(member);
        return outcome === undefined ? [] : [[member, outcome] as const];
      });
      const settlement = { group: id, attempt, ids, decision, outcomes: new Map(mine) };
      await this.#host.settleClaims(shard, settlement);
      await this.#host.checkpoint("group:claims-settled");
    });
  }

  /**
   * Takes the references shard by shard in one order, so that two groups never wait in a circle. Who keeps others waiting
   * by more than its claims stands outside that order, and has a patience that ends.
   */
  async #claim(group: Group): Promise<GroupRefusal | null> {
    const { id, attempt, patienceMs } = group;
    for (const [shard, claims] of claimsByShard(group)) {
      const request = { group: id, attempt, coordinator: this.#host.shard, claims, patienceMs };
      const answer = await this.#host.claim(shard, request);
      await this.#host.checkpoint("group:claimed");
      if (answer.ok) continue;
      const { reference, takenBy, busy } = answer;
      return {
        index: group.members.findIndex(({ posting }) => posting.reference === reference),
        error: busy === true ? stillTaken(reference) : referenceUsed(reference, takenBy),
      };
    }
    return null;
  }

  async #reserve(group: Group): Promise<GroupRefusal | null> {
    const op = keyOf(group);
    const places = new Map(
      group.members.map(({ posting }, index) => [posting.transactionId, index]),
    );
    const asked = [...byBalance(group.members)];
    const answers = await atOnce(CALLS_AT_ONCE, asked, async ([balanceId, changes]) => {
      const { answer } = await this.#lanes.submit(balanceId, { kind: "reserve", op, changes });
      return { answer, changes };
    });
    await this.#host.checkpoint("group:reserved");
    const refusals = answers.flatMap(({ answer, changes }) => {
      if (answer.outcome === "reserved") return [];
      invariant(answer.outcome === "refused", "a reservation is made or refused");
      const refused = changes[answer.index ?? 0]?.transactionId;
      const index = refused === undefined ? -1 : (places.get(refused) ?? -1);
      return [{ index, error: answer.error }];
    });
    // The first member that cannot move names the reason, whatever balance answered first.
    const [first] = refusals.sort((a, b) => a.index - b.index);
    return first ?? null;
  }
}

const stillTaken = (reference: string): LedgerError =>
  overloaded(`another request is about to use the reference ${reference}`, "soon");

/** The claims that travel together, in the one order that all groups keep: by shard, then by id. */
function claimsByShard({ claims }: Group): [shard: number, claims: Claim[]][] {
  const byShard = new Map<number, Claim[]>();
  for (const claim of claims) {
    const here = byShard.get(claim.shard);
    if (here === undefined) byShard.set(claim.shard, [claim]);
    else here.push(claim);
  }
  return [...byShard]
    .sort(([a], [b]) => a - b)
    .flatMap(([shard, here]) => {
      here.sort((a, b) => (a.posting.transactionId < b.posting.transactionId ? -1 : 1));
      const parcelled = [...parcels(here, ({ posting }) => weightOf(posting))];
      return parcelled.map((parcel): [number, Claim[]] => [shard, parcel]);
    });
}

/** About how many characters a posting travels with. */
const weightOf = ({ reference, currency, description, metaData }: Posting): number =>
  1_000 + reference.length + currency.length + description.length + (metaData?.length ?? 0);

/** The id of a group's reservations. */
const keyOf = ({ id, attempt }: Group): string => `${id}.${attempt}`;

function firstHopeless(members: readonly Moving[]): GroupRefusal | null {
  for (const [index, { posting }] of members.entries()) {
    const error = hopeless(posting);
    if (error !== null) return { index, error };
  }
  return null;
}

/** Each balance's changes, in the order of the members. */
function byBalance(members: readonly Moving[]): Map<BalanceId, MoneyOperation[]> {
  const changes = new Map<BalanceId, MoneyOperation[]>();
  for (const member of members) {
    for (const side of ["source", "destination"] as const) {
      const { balanceId } = member.posting[side];
      const list = changes.get(balanceId) ?? [];
      changes.set(balanceId, list);
      list.push(operationOf(member, side));
    }
  }
  return changes;
}

function asPosted(answer: Answer): Extract<Answer, { outcome: "posted" }> {
  invariant(
    answer.outcome === "posted",
    answer.outcome === "fault" ? answer.message : "what is reserved for is posted",
  );
  return answer;
}
