import { type LedgerError, refusal } from "../../domain/error";
import { isBalanceId, isBatchId, isTransactionId } from "../../domain/ids";
import { unreachable } from "../../domain/invariant";
import { brokenMetaData, type MetaDataText, mergeMetaData } from "../../domain/metadata";
import { err, ok, type Result } from "../../domain/result";
import { withoutReservedKeys } from "../../domain/shown-metadata";
import type { MergeOutcome } from "../../durable/journal/protocol";
import { endedBatch } from "../batches/ended";
import type { LedgerContext } from "../context";
import { changeStored } from "../stored-change";
import { outcomeOf } from "../trouble";

/** A merge as a client asks for it. */
export interface Merge {
  /** The id of a ledger, balance, identity, transaction or batch. */
  readonly id: string;
  readonly patch: MetaDataText;
}

const notFound = refusal("META_ENTITY_NOT_FOUND", "entity not found");

const tooLarge = (text: string): LedgerError =>
  refusal("GEN_VALIDATION_ERROR", `meta_data ${text}`);

/**
 * Merges top-level keys into a record's metadata; concurrent merges lose none of each other's. Answers the merged metadata, for a
 * transaction only what was sent (contract/core.md section 7).
 */
export async function mergeMetaDataOf(
  ctx: LedgerContext,
  merge: Merge,
): Promise<Result<MetaDataText>> {
  const broken = brokenMetaData(merge.patch);
  if (broken !== null) return err(tooLarge(broken));
  switch (merge.id.slice(0, merge.id.indexOf("_") + 1)) {
    case "ldg_":
      return ofLedger(ctx, merge);
    case "idt_":
      return ofIdentity(ctx, merge);
    case "bln_":
      return ofBalance(ctx, merge);
    case "txn_":
      return ofTransaction(ctx, merge);
    case "bulk_":
      return ofBatch(ctx, merge);
    default:
      return err(refusal("META_INVALID_ENTITY_ID", `invalid entity ID format: ${merge.id}`));
  }
}

function merged(before: MetaDataText | null, patch: MetaDataText): Result<MetaDataText> {
  const after = mergeMetaData(before, patch);
  const broken = brokenMetaData(after);
  return broken === null ? ok(after) : err(tooLarge(broken));
}

const orNotFound = (metaData: MetaDataText | null | undefined): Result<MetaDataText> =>
  metaData === null || metaData === undefined ? err(notFound) : ok(metaData);

async function ofLedger(ctx: LedgerContext, { id, patch }: Merge): Promise<Result<MetaDataText>> {
  const changed = await changeStored({
    read: () => ctx.ledgers.byId(id),
    change: ({ ledger, revision }) => {
      const after = merged(ledger.metaData, patch);
      return after.ok ? ok({ ledger: { ...ledger, metaData: after.value }, revision }) : after;
    },
    write: (after) => ctx.ledgers.replace(after, null),
  });
  return changed.ok ? orNotFound(changed.value?.ledger.metaData) : changed;
}

async function ofIdentity(ctx: LedgerContext, { id, patch }: Merge): Promise<Result<MetaDataText>> {
  const changed = await changeStored({
    read: () => ctx.identities.byId(id),
    change: ({ identity, revision }) => {
      const after = merged(identity.metaData, patch);
      return after.ok ? ok({ identity: { ...identity, metaData: after.value }, revision }) : after;
    },
    write: (after) => ctx.identities.replace(after),
  });
  return changed.ok ? orNotFound(changed.value?.identity.metaData) : changed;
}

/** The balance's object merges, or leaves all as it is when that would be too long: then another merge would be as well. */
async function ofBalance(ctx: LedgerContext, { id, patch }: Merge): Promise<Result<MetaDataText>> {
  if (!isBalanceId(id)) return err(notFound);
  const changed = await outcomeOf(ctx.journal.updateBalance(id, { mergeMetaData: patch }));
  if (!changed.ok) return changed;
  if (changed.value === null) return err(notFound);
  return merged(changed.value.metaData, patch);
}

async function ofTransaction(
  ctx: LedgerContext,
  { id, patch }: Merge,
): Promise<Result<MetaDataText>> {
  const kept = withoutReservedKeys(patch) ?? "{}";
  if (!isTransactionId(id)) return err(notFound);
  const outcome = await outcomeOf(ctx.journal.mergeMetaData(id, kept));
  return outcome.ok ? answerOf(outcome.value, kept) : outcome;
}

/** Every transaction of a batch gets it; one that would have too much keeps what it has, and that is told. */
async function ofBatch(ctx: LedgerContext, { id, patch }: Merge): Promise<Result<MetaDataText>> {
  const kept = withoutReservedKeys(patch) ?? "{}";
  const found = isBatchId(id) ? await endedBatch(ctx, id) : ok(null);
  if (!found.ok) return found;
  if (found.value === null) return err(notFound);
  const { transactionIds } = found.value;
  const outcomes = await outcomeOf(ctx.journal.mergeMetaDataEach(transactionIds, kept));
  if (!outcomes.ok) return outcomes;
  return answerOf(outcomes.value.includes("too-large") ? "too-large" : "merged", kept);
}

function answerOf(outcome: MergeOutcome, kept: MetaDataText): Result<MetaDataText> {
  switch (outcome) {
    case "merged":
      return ok(kept);
    case "missing":
      return err(notFound);
    case "too-large":
      return err(tooLarge("would be too long"));
    default:
      return unreachable(outcome);
  }
}
