import type { BalanceSnapshot } from "../../domain/balance-record";
import { type LedgerError, refusal } from "../../domain/error";
import { type BalanceId, isTransactionId } from "../../domain/ids";
import { invariant } from "../../domain/invariant";
import type { Piece } from "../../domain/lineage";
import { currencyMismatch, hopeless, unknownBalance } from "../../domain/movement";
import { settlesHold } from "../../domain/saga";
import type { Posting, Side } from "../../domain/transaction";
import type { Answer, Lineage, Operation } from "../balance/protocol";
import type { Admission } from "./admission";
import type { Claims } from "./claims";
import { succeed, writeRefusal } from "./endings";
import type { LaneAnswer, Lanes } from "./lanes";
import { Newest } from "./newest";
import { operationId, operationOf, type SideName } from "./operations";
import type { Records } from "./records";
import { type Driven, isAtRest, isUnfinished, type Row } from "./row";
import type { Splits } from "./splits";
import type { JournalStore } from "./store";
import { lineageInto, lineageOutOf, tracedOf } from "./tracing";

/** Currencies of so many balances are kept: about 2 MB. What is not kept is asked for. */
const CURRENCIES_MAX = 10_000;

/** What the driver needs of its shard. */
export interface DriverHost {
  /** On the way of every transfer it is awaited only where it waits: an await costs more than most of what it stands between. */
  checkpoint(step: string): void | Promise<void>;
  /** A row came to its end; it is to be projected and announced. */
  finished(row: Row): void;
  /** An operation made a balance by its indicator. */
  balanceMade(balanceId: BalanceId): void;
}

interface DriverParts {
  readonly store: JournalStore;
  readonly records: Records;
  readonly lanes: Lanes;
  readonly splits: Splits;
  readonly claims: Claims;
  readonly admission: Admission;
  readonly host: DriverHost;
}

type Applied = Extract<Answer, { outcome: "applied" }>;
type Moved = { readonly applied: Applied } | { readonly refused: LedgerError };

/**
 * Drives a record to its end: debit the source, then credit the destination. Every step can be repeated,
 * so a crash anywhere is followed by the same drive again, to the same end.
 */
export class Driver {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #lanes: Lanes;
  readonly #splits: Splits;
  readonly #claims: Claims;
  readonly #admission: Admission;
  readonly #host: DriverHost;
  readonly #driving = new Map<
    string,
    { readonly attempt: string; readonly end: Promise<Driven> }
  >();
  /** Rows that were refused and are gone: whoever still holds one hears the same again. */
  readonly #refused = new WeakMap<Row, LedgerError>();
  /** Currencies of balances that exist. Existence is cached, absence never. */
  readonly #currencies = new Newest<BalanceId, string>(CURRENCIES_MAX);

  constructor(parts: DriverParts) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#lanes = parts.lanes;
    this.#splits = parts.splits;
    this.#claims = parts.claims;
    this.#admission = parts.admission;
    this.#host = parts.host;
  }

  /** A balance was seen: it exists from now on, and its currency stays. */
  seen({ balanceId, currency }: Pick<BalanceSnapshot, "balanceId" | "currency">): void {
    this.#currencies.set(balanceId, currency);
  }

  isDriving(row: Row): boolean {
    return this.#driving.get(row.posting.transactionId)?.attempt === row.attempt;
  }

  /** Drives the row to its end, or joins the drive that is under way. Throws only for a bug. */
  drive(row: Row): Promise<Driven> {
    const refused = this.#refused.get(row);
    if (refused !== undefined) return Promise.resolve({ done: false, row, error: refused });
    return this.#join(row, () => this.#run(row));
  }

  /**
   * Refuses a record that has not moved anything yet, as if a rule had; one that is on its way comes to its own end.
   */
  cancel(row: Row): Promise<Driven> {
    return this.#join(row, () => this.#runCancel(row));
  }

  /** The drive of the row that is under way, or a new one. */
  #join(row: Row, run: () => Promise<Driven>): Promise<Driven> {
    const id = row.posting.transactionId;
    const running = this.#driving.get(id);
    // Another attempt is another row: its reference was freed and taken again.
    if (running !== undefined && running.attempt === row.attempt) return running.end;
    this.#admission.hold(row);
    const end = this.#carryOut(row, run);
    this.#driving.set(id, { attempt: row.attempt, end });
    return end;
  }

  async #carryOut(row: Row, run: () => Promise<Driven>): Promise<Driven> {
    const id = row.posting.transactionId;
    try {
      const driven = await run();
      if (!driven.done) this.#refused.set(driven.row, driven.error);
      return driven;
    } catch (error) {
      // What it had sent by then may have been applied.
      row.doubt = true;
      throw error;
    } finally {
      const rested = this.#admission.release(row);
      if (rested !== undefined) await rested;
      if (this.#driving.get(id)?.attempt === row.attempt) this.#driving.delete(id);
      // Whatever was the last to be done for it has left it to its drive.
      if (isAtRest(row)) this.#records.drop(row);
    }
  }

  async #runCancel(row: Row): Promise<Driven> {
    await this.#host.checkpoint("cancel:begun");
    if (row.posting.kind === "split") return this.#splits.cancel(row, cancelled());
    if (!row.doubt) return this.#refuse(row, cancelled());
    // Written before the balance hears of it: whoever drives the row after a crash refuses it for the same reason.
    row.decision = { commit: false, error: cancelled() };
    this.#store.transaction(() => this.#store.save(row));
    await this.#host.checkpoint("cancel:decided");
    return this.#followCancel(row, cancelled());
  }

  /** An earlier life may have sent the debit: the balance knows, and refuses it from now on. */
  async #followCancel(row: Row, error: LedgerError): Promise<Driven> {
    const op = operationId(row, "source");
    const { balanceId } = row.posting.source;
    const { answer } = await this.#submit(row, balanceId, { kind: "cancel", op });
    if (answer.outcome !== "applied") return this.#refuse(row, error);
    // It came too late, and will whenever it is sent again.
    row.decision = null;
    this.#store.transaction(() => this.#store.save(row));
    return this.#run(row);
  }

  async #run(row: Row): Promise<Driven> {
    if (row.posting.kind === "split") return this.#splits.drive(row);
    if (!isUnfinished(row)) return { done: true, row };
    if (row.status === "CLAIMED") return this.#claims.resolve(row);
    if (row.posting.group !== null) return this.#driveLeg(row);
    if (row.decision?.commit === false) return this.#followCancel(row, row.decision.error);
    const begun = this.#host.checkpoint("drive:begun");
    if (begun !== undefined) await begun;
    const { posting } = row;
    const asked = settlesHold(posting)
      ? this.#refusalOfParent(posting)
      : this.#refusalOfDestination(row);
    const hopeless = asked instanceof Promise ? await asked : asked;
    if (hopeless !== null) return this.#refuse(row, hopeless);

    const debit = await this.#debit(row);
    if ("refused" in debit) return this.#refuse(row, debit.refused);
    const debited = this.#host.checkpoint("drive:debited");
    if (debited !== undefined) await debited;

    // From here on the record must succeed: a credit is never refused.
    const out = debit.applied.traced ?? null;
    const lineage = lineageInto(posting, out, this.#givenBackBy(row));
    const answered = await this.#send(row, "destination", lineage);
    const credit = this.#movedBy(posting.destination, answered.answer);
    invariant("applied" in credit, "a credit to a known balance in its currency is not refused");
    const credited = this.#host.checkpoint("drive:credited");
    if (credited !== undefined) await credited;
    const traced = tracedOf(out, credit.applied.traced ?? null);
    const versions = {
      sourceVersion: debit.applied.version,
      destinationVersion: credit.applied.version,
    };
    succeed(row, traced === null ? versions : { ...versions, traced });
    this.#host.finished(row);
    return { done: true, row };
  }

  /** Whose money a refund gives back: that of whoever was paid from. */
  #givenBackBy(row: Row): readonly Piece[] {
    return row.posting.kind === "refund" ? this.#records.givenBackBy(row) : [];
  }

  /** A leg moves with its group, never alone. */
  async #driveLeg(leg: Row): Promise<Driven> {
    const { group, transactionId } = leg.posting;
    invariant(group !== null && isTransactionId(group), "a leg has a split");
    const parent = this.#records.find(group);
    invariant(parent !== null, "the split of a leg is in its shard");
    const driven = await this.drive(parent);
    const row = this.#records.find(transactionId);
    if (row !== null && row.attempt === leg.attempt) return { done: true, row };
    invariant(!driven.done, "a leg is gone only when its split was refused");
    return { done: false, row: leg, error: driven.error };
  }

  /** A commit or void waits for a hold that is still on its way, and falls with it. */
  async #refusalOfParent({ parentTransaction }: Posting): Promise<LedgerError | null> {
    if (!isTransactionId(parentTransaction)) return null;
    const parent = this.#records.find(parentTransaction);
    invariant(parent !== null, "a settlement has its hold");
    if (isUnfinished(parent)) await this.drive(parent);
    return parent.status === "INFLIGHT"
      ? null
      : refusal("TXN_NOT_INFLIGHT", "the transaction to settle holds no money");
  }

  /** A promise only where the balance has to be asked. */
  #refusalOfDestination(row: Row): LedgerError | null | Promise<LedgerError | null> {
    const { posting } = row;
    const never = hopeless(posting);
    if (never !== null) return never;
    const { destination, currency } = posting;
    // The id of an indicator balance is made of its currency.
    if (destination.indicator !== null) return null;
    const known = this.#currencies.get(destination.balanceId);
    if (known === undefined) return this.#askedOfDestination(row);
    return known === currency ? null : currencyMismatch(destination.balanceId, known, currency);
  }

  async #askedOfDestination(row: Row): Promise<LedgerError | null> {
    const { destination, currency } = row.posting;
    const { balanceId } = destination;
    const { answer } = await this.#submit(row, balanceId, { kind: "probe", op: "probe" });
    await this.#host.checkpoint("drive:probed");
    if (answer.outcome !== "known") return unknownBalance(balanceId);
    this.#currencies.set(balanceId, answer.currency);
    return answer.currency === currency
      ? null
      : currencyMismatch(balanceId, answer.currency, currency);
  }

  /** The debit, or a refusal that is certain: no attempt of this operation can still succeed. */
  async #debit(row: Row): Promise<Moved> {
    const { source } = row.posting;
    const sent = await this.#send(row, "source", lineageOutOf(row.posting));
    const moved = this.#movedBy(source, sent.answer);
    if ("applied" in moved || !(sent.doubt || row.doubt)) return moved;
    await this.#host.checkpoint("drive:refused-in-doubt");
    const op = operationId(row, "source");
    const { answer } = await this.#submit(row, source.balanceId, { kind: "cancel", op });
    await this.#host.checkpoint("drive:cancelled");
    if (answer.outcome === "applied") return { applied: answer };
    invariant(answer.outcome === "cancelled", "a cancel is answered applied or cancelled");
    return moved;
  }

  #send(row: Row, side: SideName, lineage: Lineage | null): Promise<LaneAnswer> {
    return this.#submit(row, row.posting[side].balanceId, operationOf(row, side, lineage));
  }

  /** What a balance has made of a change. */
  #movedBy({ balanceId }: Side, answer: Answer): Moved {
    if (answer.outcome === "refused") return { refused: answer.error };
    invariant(
      answer.outcome === "applied",
      answer.outcome === "fault" ? answer.message : "a change is applied or refused",
    );
    if (answer.created) this.#host.balanceMade(balanceId);
    return { applied: answer };
  }

  #submit({ posting }: Row, balanceId: BalanceId, operation: Operation): Promise<LaneAnswer> {
    return this.#lanes.submit(balanceId, operation, posting.skipQueue ? "client" : "nobody");
  }

  /** Written before anybody hears of it: a refusal in memory alone could turn into a success. */
  async #refuse(row: Row, error: LedgerError): Promise<Driven> {
    const { skipQueue } = row.posting;
    this.#store.transaction(() => writeRefusal(this.#store, row, error));
    if (skipQueue) this.#records.drop(row);
    else this.#host.finished(row);
    await this.#host.checkpoint("drive:refused");
    return skipQueue ? { done: false, row, error } : { done: true, row };
  }
}

/** Why a cancelled record is REJECTED. */
export const CANCELLED = "cancelled";

const cancelled = (): LedgerError => refusal("GEN_CONFLICT", CANCELLED);
