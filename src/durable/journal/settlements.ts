import { refusal } from "../../domain/error";
import { refundReference, settlementReference, transactionIdOf } from "../../domain/ids";
import {
  refundOf,
  type SettlementsSoFar,
  settlementAmount,
  settlementOf,
} from "../../domain/settlement";
import type { Posting, Transaction } from "../../domain/transaction";
import type { RefundRequest, Reply, SettleRequest, SettleValue } from "./protocol";
import type { Records } from "./records";
import { firstAnswer, keyReused, refuse, reply } from "./replies";
import { isUnfinished, type Row, Work } from "./row";
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
  driven(row: Row): Promise<unknown>;
}

/**
 * Commits, voids and refunds: children in the shard of their parent. The parent's rows decide between a
 * commit, a void and an expiry, in one transaction, so that they cannot all win.
 */
export class Settlements {
  readonly #store: JournalStore;
  readonly #records: Records;
  readonly #host: SettlementsHost;

  constructor(parts: {
    readonly store: JournalStore;
    readonly records: Records;
    readonly host: SettlementsHost;
  }) {
    this.#store = parts.store;
    this.#records = parts.records;
    this.#host = parts.host;
  }

  /** Commits or voids a hold; a repeat of the operation answers the child it made. */
  async settle(request: SettleRequest, key: string): Promise<Reply<SettleValue>> {
    const { transactionId, skipQueue } = request;
    const repeated = await this.#repeatOfSettle(request, key);
    if (repeated !== null) return repeated;
    const found = this.#records.find(transactionId);
    if (found === null) return refuse(unknownHold(request));
    // A synchronous call waits for the hold; a queued one leaves a child that does.
    if (isUnfinished(found) && (skipQueue || found.status === "PENDING" || found.doubt)) {
      await this.#host.driven(found);
    }

    // No await from here to the insertion: what is decided on is what is written.
    const hold = this.#records.find(transactionId);
    if (hold === null) return refuse(unknownHold(request));
    const waiting = hold.status === "QUEUED" && hold.posting.inflight;
    if (hold.status !== "INFLIGHT" && !waiting) {
      return refuse(refusal("TXN_NOT_INFLIGHT", "the transaction holds no money"));
    }
    const settlements = this.#records.settlementsOf(transactionId);
    if (!skipQueue && settlements.some(({ status }) => status === "QUEUED")) {
      const message = "a commit or void of this transaction is on its way already";
      return refuse(refusal("GEN_CONFLICT", message));
    }
    const amount = settlementAmount(
      hold.posting,
      soFar(settlements),
      request.action,
      request.amount,
    );
    if (!amount.ok) return refuse(amount.error);
    const child = this.#insertSettlement(hold, amount.value, request, key);

    await this.#host.checkpoint("settle:inserted");
    if (!skipQueue) return reply({ transaction: this.#records.shown(hold), queued: true });
    await this.#host.driven(child);
    return reply({ transaction: this.#records.shown(child), queued: false });
  }

  /** Gives back what a transaction moved; each of its movements once. */
  async refund(request: RefundRequest, key: string): Promise<Reply<Transaction>> {
    const nothing = refusal("TXN_NOT_FOUND", "there is no transaction to refund");
    const found = this.#records.find(request.transactionId);
    if (found === null) return refuse(nothing);
    if (isUnfinished(found) && found.status !== "SCHEDULED") await this.#host.driven(found);
    for (const child of this.#records.settlementsOf(request.transactionId)) {
      if (isUnfinished(child)) await this.#host.driven(child);
    }

    // No await from here to the insertion: a refund covers the movements that exist at this moment.
    const parent = this.#records.find(request.transactionId);
    if (parent === null) return refuse(nothing);
    const movements = this.#movementsOf(parent);
    if (movements.length === 0) return refuse(nothing);
    const made = movements.map((row) => this.#refundRowOf(row));
    const repeated = made.find((row) => row?.operationKey === key);
    if (repeated) return this.#repeatOfRefund(repeated, request);
    const open = movements.filter((_row, index) => made[index] === null);
    if (open.length === 0) {
      const message = `transaction ${request.transactionId} has been refunded before`;
      return refuse(refusal("GEN_CONFLICT", message));
    }
    const rows = this.#insertRefunds(open, request, key);

    await this.#host.checkpoint("refund:inserted");
    if (request.skipQueue) await Promise.all(rows.map((row) => this.#host.driven(row)));
    const [first] = rows;
    return first === undefined ? refuse(nothing) : reply(this.#records.shown(first));
  }

  async #repeatOfSettle(request: SettleRequest, key: string): Promise<Reply<SettleValue> | null> {
    const reference = settlementReference(request.transactionId, key);
    const child = this.#records.find(transactionIdOf(this.#host.instance, reference));
    if (child === null) return null;
    if (child.fingerprint !== request.operation.fingerprint) return refuse(keyReused());
    const hold = this.#records.find(request.transactionId);
    if (!request.skipQueue && hold !== null) {
      return reply({ transaction: this.#records.shown(hold), queued: true }, true);
    }
    if (isUnfinished(child)) await this.#host.driven(child);
    return reply({ transaction: this.#records.shown(child), queued: false }, true);
  }

  async #repeatOfRefund(refund: Row, request: RefundRequest): Promise<Reply<Transaction>> {
    if (refund.fingerprint !== request.operation.fingerprint) return refuse(keyReused());
    if (request.skipQueue && isUnfinished(refund)) await this.#host.driven(refund);
    return reply(firstAnswer(refund, this.#records), true);
  }

  #insertSettlement(hold: Row, amount: bigint, request: SettleRequest, key: string): Row {
    const { action, skipQueue, operation } = request;
    const how = { instance: this.#host.instance, operationKey: key, skipQueue };
    const posting = settlementOf(this.#records.shown(hold), action, amount, how);
    const child = this.#host.newRow(posting, key, operation.fingerprint);
    this.#store.transaction(() => {
      this.#store.insert(child);
      hold.revision += 1;
      hold.work |= Work.Project;
      this.#store.save(hold);
    });
    this.#host.inserted([child]);
    this.#host.changed(hold);
    return child;
  }

  #insertRefunds(movements: readonly Row[], request: RefundRequest, key: string): Row[] {
    const { skipQueue, description, metaData, operation } = request;
    const how = { instance: this.#host.instance, skipQueue, description, metaData };
    const rows = movements.map((row) =>
      this.#host.newRow(refundOf(this.#records.shown(row), how), key, operation.fingerprint),
    );
    this.#store.transaction(() => {
      for (const movement of movements) if (movement.work !== 0) this.#store.save(movement);
      for (const row of rows) this.#store.insert(row);
    });
    this.#host.inserted(rows);
    return rows;
  }

  /** What a refund of this record gives back: its own movement, or the commits of a hold, newest first. */
  #movementsOf(parent: Row): Row[] {
    if (parent.status === "APPLIED") return [parent];
    if (parent.status !== "INFLIGHT") return [];
    return this.#records
      .settlementsOf(parent.posting.transactionId)
      .filter(({ status }) => status === "APPLIED");
  }

  #refundRowOf(row: Row): Row | null {
    const reference = refundReference(row.posting.transactionId);
    return this.#records.find(transactionIdOf(this.#host.instance, reference));
  }
}

const soFar = (settlements: readonly Row[]): SettlementsSoFar => ({
  committed: settlements
    .filter(({ posting }) => posting.kind === "commit")
    .reduce((sum, { posting }) => sum + posting.preciseAmount, 0n),
  voided: settlements.some(({ posting }) => posting.kind === "void"),
});

function unknownHold({ transactionId, skipQueue, action }: SettleRequest) {
  return skipQueue
    ? refusal("TXN_NOT_INFLIGHT", `there is no transaction to ${action}`)
    : refusal("TXN_NOT_FOUND", `there is no transaction ${transactionId}`);
}
