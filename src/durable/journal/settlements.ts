import { type LedgerError, refusal } from "../../domain/error";
import { refundReference, type TransactionId, transactionIdOf } from "../../domain/ids";
import { err, ok, type Result } from "../../domain/result";
import {
  brokenRefundMetaData,
  refundAmounts,
  refundOf,
  settlementAmount,
  settlementOf,
} from "../../domain/settlement";
import type { Posting, Transaction } from "../../domain/transaction";
import { type Admission, following } from "./admission";
import { namesIn, settledBy } from "./children";
import type {
  OperationKey,
  Plan,
  RefundQuestion,
  RefundRequest,
  Reply,
  SettlePlanQuestion,
  SettleQuestion,
  SettleRequest,
  SettleValue,
} from "./protocol";
import type { Records } from "./records";
import { firstAnswer, keyReused, refuse, reply, storedKey } from "./replies";
import { type Driven, isDrivable, isHalfDone, isHidden, isUnfinished, type Row, Work } from "./row";
import {
  asItWas,
  isApplied,
  isMovingOn,
  isQueued,
  isSettledBefore,
  nothingToRefund,
  soFar,
  unknownHold,
} from "./settling";
import type { JournalStore } from "./store";

/** What settlements need of their shard. */
export interface SettlementsHost {
  readonly instance: string;
  checkpoint(step: string): void | Promise<void>;
  /** A new row for a posting, not written yet. */
  newRow(posting: Posting, key: string, fingerprint: string): Row;
  /** Writes have been made for these rows: drive or queue them. */
  inserted(rows: readonly Row[]): void;
  changed(row: Row): void;
  /** Waits for a drive, but not for ever; throws when the outcome is still unknown. */
  driven(row: Row): Promise<Driven>;
}

/**
 * Commits, voids and refunds: children in the shard of their parent. The parent's rows decide between a
 * commit, a void and an expiry, in one transaction, so that they cannot all win.
 */
export class Settlements {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #admission: Admission;
  readonly #host: SettlementsHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly admission: Admission;
    readonly host: SettlementsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#admission = parts.admission;
    this.#host = parts.host;
  }

  /** Commits or voids a hold; a repeat of the operation answers the child it made. */
  settle(request: SettleRequest, key: string): Promise<Reply<SettleValue>> {
    return this.#settle(request, key, (arrival) => this.#admission.refusalOf(arrival));
  }

  /** The same for a hold whose time has come: however much there is to do, it is done. */
  settleDue(request: SettleRequest, key: string): Promise<Reply<SettleValue>> {
    return this.#settle(request, key, () => null);
  }

  async #settle(
    request: SettleRequest,
    key: string,
    refusalOf: Admission["refusalOf"],
  ): Promise<Reply<SettleValue>> {
    const { transactionId, skipQueue } = request;
    // A synchronous call waits for the hold, unless its time has not come; a queued one leaves a child that waits.
    const isAwaited = skipQueue ? isDrivable : isHalfDone;
    for (;;) {
      const found = this.#records.find(transactionId);
      if (found === null || !isAwaited(found, Date.now())) break;
      // A reference that it frees may be taken again before this is told: then that row counts.
      await this.#host.driven(found);
    }

    // No await from here to the insertion: what is decided on is what is written. The same request may have waited
    // beside this one, so whether it was answered is looked up only now.
    const refused = this.#refusalOf(request.operation, key);
    if (refused !== null) return refuse(refused, true);
    const child = this.#childOf(transactionId, key);
    if (child !== null) return this.#repeatOfSettle(child, request);
    const asked = this.#records.find(transactionId);
    if (asked === null) return this.#refuse(request.operation, key, unknownHold(request));
    const decided = this.#decide(asked, request);
    if (!decided.ok) return this.#refuse(request.operation, key, decided.error);
    const holds = decided.value.map(({ hold }) => hold.posting);
    const full = refusalOf(following(skipQueue, holds));
    if (full !== null) return refuse(full);
    const children = this.#insertSettlements(decided.value, request, key);
    const shown = this.#records.shown(asked);
    if (!skipQueue && request.operation.fromClient) this.#rememberHold(key, shown);

    await this.#host.checkpoint("settle:inserted");
    if (!skipQueue) return reply({ transaction: shown, queued: true });
    const ends = await Promise.all(children.map((child) => this.#host.driven(child)));
    for (const end of ends) if (!end.done) return refuse(end.error);
    const [first] = children;
    if (first === undefined) return refuse(unknownHold(request));
    return reply({ transaction: this.#records.shown(first), queued: false });
  }

  /** Gives back what a transaction moved; each of its movements once. */
  async refund(request: RefundRequest, key: string): Promise<Reply<Transaction>> {
    const found = this.#records.find(request.transactionId);
    if (found === null) return this.#refuse(request.operation, key, nothingToRefund());
    if (isDrivable(found, Date.now())) await this.#host.driven(found);
    for (const hold of this.#holdsOf(found)) {
      for (const child of this.#records.settlementsOf(hold.posting.transactionId)) {
        if (isUnfinished(child)) await this.#host.driven(child);
      }
    }

    await this.#takersDecided(request.transactionId);

    // No await from here to the insertion: a refund covers the movements that exist at this moment.
    const refused = this.#refusalOf(request.operation, key);
    if (refused !== null) return refuse(refused, true);
    const parent = this.#records.find(request.transactionId);
    const movements = parent === null ? [] : this.#movementsOf(parent, isApplied);
    if (parent === null || movements.length === 0) {
      return this.#refuse(request.operation, key, nothingToRefund());
    }
    const repeated = movements
      .flatMap((row) => this.#refundsOf(row))
      .find(({ operationKey }) => operationKey === key);
    if (repeated !== undefined) return this.#repeatOfRefund(repeated, request);
    const amounts = this.#refundAmountsOf(parent, movements, request);
    if (!amounts.ok) return this.#refuse(request.operation, key, amounts.error);
    const moved = movements.map(({ posting }) => posting);
    const full = this.#admission.refusalOf(following(request.skipQueue, moved));
    if (full !== null) return refuse(full);
    const rows = this.#insertRefunds(movements, amounts.value, request, key);

    await this.#host.checkpoint("refund:inserted");
    if (request.skipQueue) await Promise.all(rows.map((row) => this.#host.driven(row)));
    const [first] = rows;
    return first === undefined ? refuse(nothingToRefund()) : reply(this.#records.shown(first));
  }

  /** What a commit or void would settle now, decided as it would be; a repeat settles nothing. Changes nothing. */
  planSettle(question: SettlePlanQuestion): Result<Plan> {
    const { transactionId, operation } = question;
    const asked = this.#records.find(transactionId);
    if (asked === null) return err(unknownHold({ ...question, skipQueue: false }));
    const key = operation === undefined ? null : storedKey(operation);
    const child = key === null ? null : this.#childOf(transactionId, key);
    if (child !== null) return ok({ waiting: [], moves: [] });
    const decided = this.#decide(asked, question);
    if (!decided.ok) return decided;
    const holds = decided.value.map(({ hold }) => hold);
    const amounts = decided.value.map(({ amount }) => amount);
    return ok(this.#planOf(holds, holds, amounts));
  }

  /** What a refund would give back now; it counts what is QUEUED as moved, because the refund would wait for it. */
  planRefund(question: RefundQuestion): Result<Plan> {
    const parent = this.#records.find(question.transactionId);
    const movements = parent === null ? [] : this.#movementsOf(parent, isMovingOn);
    if (parent === null || movements.length === 0) return err(nothingToRefund());
    const amounts = this.#refundAmountsOf(parent, movements, question);
    if (!amounts.ok) return amounts;
    const holds = this.#holdsOf(parent).filter(({ posting }) => posting.inflight);
    return ok(this.#planOf([...holds, ...movements], movements, amounts.value));
  }

  #planOf(needed: readonly Row[], rows: readonly Row[], amounts: readonly bigint[]): Plan {
    const waiting = needed.filter((row, index) => isQueued(row) && needed.indexOf(row) === index);
    return {
      waiting: waiting.map((row) => this.#records.shown(row)),
      moves: rows.flatMap((row, index) => {
        const amount = amounts[index] ?? 0n;
        return amount === 0n ? [] : [{ transaction: this.#records.shown(row), amount }];
      }),
    };
  }

  /** What each hold under a record settles, all of them or none: its own, or those of a split's legs. */
  #decide(asked: Row, { action, amount, skipQueue }: SettleQuestion): Result<Settling[]> {
    const isOnItsWay = asked.status === "QUEUED" && asked.posting.inflight;
    if (asked.status !== "INFLIGHT" && !isOnItsWay) {
      return err(refusal("TXN_NOT_INFLIGHT", "the transaction holds no money"));
    }
    const settling: Settling[] = [];
    let settledBefore: LedgerError | null = null;
    for (const hold of this.#holdsOf(asked)) {
      const settlements = this.#records.settlementsOf(hold.posting.transactionId);
      if (!skipQueue && settlements.some(({ status }) => status === "QUEUED")) {
        const message = "a commit or void of this transaction is on its way already";
        return err(refusal("GEN_CONFLICT", message));
      }
      const settled = settlementAmount(hold.posting, soFar(settlements), action, amount);
      if (settled.ok) settling.push({ hold, amount: settled.value });
      // Of a split, what is settled already is left alone; what cannot be settled refuses the whole.
      else if (isSettledBefore(settled.error)) settledBefore ??= settled.error;
      else return settled;
    }
    return settling.length === 0 && settledBefore !== null ? err(settledBefore) : ok(settling);
  }

  #holdsOf(asked: Row): Row[] {
    return asked.posting.kind === "split" ? this.#records.legsOf(asked).reverse() : [asked];
  }

  /** The child that this operation made before, under the record or under the newest leg that it touched. */
  #childOf(transactionId: TransactionId, key: string): Row | null {
    const asked = this.#records.find(transactionId);
    const holds = asked === null ? [] : this.#holdsOf(asked);
    for (const hold of holds) {
      const child = settledBy(this.#records, hold, key);
      if (child !== null) return child;
    }
    return null;
  }

  /** The refusal that a client's key was answered with before. */
  #refusalOf({ fromClient }: OperationKey, key: string): LedgerError | null {
    return fromClient ? this.#store.refusalOf(key) : null;
  }

  /**
   * A refusal, kept for repeats when the client named its request: in the turn in which it was decided on, because the same
   * request may be decided on beside this one.
   */
  #refuse({ fromClient }: OperationKey, key: string, error: LedgerError) {
    if (fromClient) {
      this.#store.transaction(() => this.#store.rememberRefusal(key, error, Date.now()));
    }
    return refuse(error);
  }

  /** By the queue a client is shown the hold: repeats of its request show it as it stood. */
  #rememberHold(key: string, { status, inflightRemaining, metaData }: Transaction): void {
    const remaining = inflightRemaining === null ? null : inflightRemaining.toString();
    const hold = { status, remaining, metaData };
    this.#store.transaction(() => this.#store.rememberHold(key, hold, Date.now()));
  }

  async #repeatOfSettle(child: Row, request: SettleRequest): Promise<Reply<SettleValue>> {
    if (child.fingerprint !== request.operation.fingerprint) return refuse(keyReused());
    const hold = this.#records.find(request.transactionId);
    if (!request.skipQueue && hold !== null) {
      const then = this.#store.holdShown(child.operationKey);
      return reply({ transaction: asItWas(this.#records.shown(hold), then), queued: true }, true);
    }
    if (isUnfinished(child)) await this.#host.driven(child);
    return reply({ transaction: firstAnswer(child, this.#records), queued: false }, true);
  }

  async #repeatOfRefund(refund: Row, request: RefundRequest): Promise<Reply<Transaction>> {
    if (refund.fingerprint !== request.operation.fingerprint) return refuse(keyReused());
    if (request.skipQueue && isUnfinished(refund)) await this.#host.driven(refund);
    return reply(firstAnswer(refund, this.#records), true);
  }

  #insertSettlements(settling: readonly Settling[], request: SettleRequest, key: string): Row[] {
    const { action, skipQueue, operation } = request;
    const { instance } = this.#host;
    const names = namesIn(this.#records, instance);
    const children = settling.map(({ hold, amount }) => {
      const operationKey = names.settlement(hold.posting.transactionId, key);
      const how = { instance, operationKey, skipQueue };
      const posting = settlementOf(this.#records.shown(hold), action, amount, how);
      return this.#host.newRow(posting, key, operation.fingerprint);
    });
    this.#store.transaction(() => {
      for (const child of children) this.#store.insert(child);
      for (const { hold } of settling) {
        hold.revision += 1;
        hold.work |= Work.Project;
        this.#store.save(hold);
      }
    });
    this.#host.inserted(children);
    for (const { hold } of settling) this.#host.changed(hold);
    return children;
  }

  #insertRefunds(
    movements: readonly Row[],
    amounts: readonly bigint[],
    request: RefundRequest,
    key: string,
  ): Row[] {
    const { skipQueue, description, metaData, operation } = request;
    const { instance } = this.#host;
    const names = namesIn(this.#records, instance);
    const rows = movements.flatMap((row, index) => {
      const amount = amounts[index] ?? 0n;
      if (amount === 0n) return [];
      const operationKey = names.refund(row.posting.transactionId, key);
      const how = { instance, operationKey, skipQueue, description, metaData };
      const posting = refundOf(this.#records.shown(row), amount, how);
      return [this.#host.newRow(posting, key, operation.fingerprint)];
    });
    this.#store.transaction(() => {
      for (const movement of movements) if (movement.work !== 0) this.#store.save(movement);
      for (const row of rows) this.#store.insert(row);
    });
    this.#host.inserted(rows);
    return rows;
  }

  /** What a refund of this record gives back: its own movement, or the commits of a hold, newest first. */
  #movementsOf(parent: Row, hasMoved: (row: Row) => boolean): Row[] {
    if (parent.posting.kind === "split") {
      return this.#holdsOf(parent).flatMap((leg) => this.#movementsOf(leg, hasMoved));
    }
    return parent.posting.inflight
      ? this.#records.settlementsOf(parent.posting.transactionId).filter(hasMoved)
      : [parent].filter(hasMoved);
  }

  #refundAmountsOf(
    parent: Row,
    movements: readonly Row[],
    { amount, metaData = null }: RefundQuestion,
  ): Result<bigint[]> {
    const open = movements.map((row) => this.#refundableOf(row));
    const amounts = refundAmounts(open, parent.posting.precision, amount);
    if (!amounts.ok) return amounts;
    for (const row of movements) {
      const broken = brokenRefundMetaData(this.#records.shown(row), metaData);
      if (broken !== null) return err(broken);
    }
    return amounts;
  }

  #refundsOf(row: Row): Row[] {
    return this.#records
      .childrenOf(row.posting.transactionId)
      .filter(({ posting }) => posting.kind === "refund");
  }

  /** What somebody posted by hand under the reference of a movement's refund; null when nobody did. */
  #takerOf({ posting }: Row): Row | null {
    const whole = transactionIdOf(this.#host.instance, refundReference(posting.transactionId));
    const found = this.#records.find(whole);
    return found?.posting.kind === "refund" ? null : found;
  }

  /** Waits for those that are not decided: one that is refused was no refund. */
  async #takersDecided(transactionId: TransactionId): Promise<void> {
    for (;;) {
      const asked = this.#records.find(transactionId);
      const movements = asked === null ? [] : this.#movementsOf(asked, isApplied);
      const takers = movements.flatMap((row) => this.#takerOf(row) ?? []);
      const undecided = takers.find(isHidden);
      if (undecided === undefined) return;
      await this.#host.driven(undecided);
    }
  }

  /** What of a movement was not given back yet. */
  #refundableOf(row: Row): bigint {
    const { preciseAmount } = row.posting;
    // Somebody posted the refund's reference by hand: that was the refund.
    if (this.#takerOf(row) !== null) return 0n;
    return this.#refundsOf(row).reduce(
      (left, { posting }) => left - posting.preciseAmount,
      preciseAmount,
    );
  }
}

/** A hold and the minor units of it that are to be settled. */
interface Settling {
  readonly hold: Row;
  readonly amount: bigint;
}
