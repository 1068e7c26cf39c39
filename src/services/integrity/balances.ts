import { type Amounts, NO_AMOUNTS } from "../../domain/balance";
import type { BalanceSnapshot } from "../../domain/balance-record";
import { chainFindings } from "../../domain/chain";
import type { Finding, FindingCode } from "../../domain/finding";
import { GENERAL_LEDGER_ID, indicatorBalanceId, isBalanceId, shardOf } from "../../domain/ids";
import { actionOf } from "../../domain/saga";
import { type Entry, FIRST_VERSION, postingSeal, profileSeal } from "../../domain/seal";
import { millisOf } from "../../domain/time";
import { atOnce } from "../../durable/at-once";
import type { Evidence } from "../../durable/balance/evidence";
import type { InspectedRecord } from "../../durable/journal/inspection";
import { differences } from "../../storage/copies";
import { PROFILE_COLUMNS, type Values } from "../../storage/projection";
import type { AuditContext } from "../context";
import type { FundsSoFar } from "./cursor";
import { askedFrom, fundsAfter } from "./funds";
import { reservationFindings } from "./reservations";
import { operationOf } from "./transactions";

/** A change of a balance has reached D1 after this long, in milliseconds. */
const IN_D1_MS = 60_000;

/** So many balances are looked at together: their metadata must fit in memory. */
const BALANCES_AT_ONCE = 16;

/** What is wrong with a balance, as far as it was looked at. */
export interface BalanceLook {
  readonly findings: readonly Finding[];
  /** Null when it cannot be read, or does not exist. */
  readonly evidence: Evidence | null;
  /** Its funds up to the last entry that was looked at; null when they cannot be told. */
  readonly funds: FundsSoFar | null;
}

/** A balance that a shard has met: whether it can be read, its profile, and its row in D1. */
export async function profileFindings(
  ctx: AuditContext,
  ids: readonly string[],
): Promise<Finding[]> {
  const found = await atOnce(
    BALANCES_AT_ONCE,
    ids,
    async (id) =>
      (await entryFindings(ctx, id, { after: FIRST_VERSION, limit: 0, funds: null })).findings,
  );
  return found.flat();
}

/** A balance as it was before its shard was asked to take it to D1, and whether the shard said that it has. */
interface Earlier {
  readonly balance: BalanceSnapshot;
  readonly isInD1: boolean;
}

/** Some of a balance's entries: so many after a version. */
interface EntryRange {
  readonly after: number;
  readonly limit: number;
  /** The funds up to that version; null when they cannot be told, or are not to be. */
  readonly funds: FundsSoFar | null;
}

/**
 * The same with some of its entries, each of which is held against the transaction that made it. What is found is looked at
 * again, after the shard that changes profiles has taken what it had to D1: something may have changed meanwhile.
 */
export async function entryFindings(
  ctx: AuditContext,
  id: string,
  range: EntryRange,
): Promise<BalanceLook> {
  const first = await look(ctx, id, range, null);
  if (first.findings.length === 0 || !isBalanceId(id)) return first;
  const isInD1 = await ctx.inspector.flushed(shardOf(id, ctx.inspector.shards));
  const balance = first.evidence?.stored ?? null;
  return look(ctx, id, range, balance === null ? null : { balance, isInD1 });
}

async function look(
  ctx: AuditContext,
  id: string,
  { after, limit, funds }: EntryRange,
  earlier: Earlier | null,
): Promise<BalanceLook> {
  if (!isBalanceId(id)) return cannotRead(id);
  // Read first: what the object has by then is at least as new.
  const copy = (await ctx.copies.byKeys("balances", [[id]])).get(id);
  const evidence = await ctx.inspector
    .evidence(id, { after, limit, funds: funds === null ? null : askedFrom(ctx, funds) })
    .catch(() => "trouble" as const);
  if (evidence === "trouble") return cannotRead(id);
  if (evidence === null) {
    const findings = [about(id, "copy_unknown", "there is no such balance", "d1")];
    return { findings, evidence, funds: null };
  }
  const { before, entries } = evidence;
  const then = await amountsThen(ctx, evidence, copy);
  const soFar =
    funds === null || evidence.funds === null ? null : fundsAfter(funds, evidence.funds);
  const findings = [
    ...profileFindingsOf(ctx.instance, id, evidence),
    ...(evidence.areFundsSound ? [] : [about(id, "funds_altered", "its funds were altered")]),
    ...(addsUp(evidence, after, soFar)
      ? []
      : [about(id, "funds_altered", "its funds are not what its changes add up to")]),
    ...(await reservationFindings(ctx, id, evidence)),
    ...copyFindings(ctx, id, { evidence, copy, then, earlier }),
  ];
  if (limit > 0) {
    if (after > FIRST_VERSION && before === null) {
      findings.push({ ...about(id, "entry_missing", "the entry is gone"), version: after });
    }
    if (after === FIRST_VERSION || before !== null) {
      findings.push(...chainFindings(id, { version: after, entry: before }, entries));
    }
    findings.push(...(await unexplained(ctx, id, entries)));
  }
  return { findings, evidence, funds: soFar };
}

const about = (
  id: string,
  code: FindingCode,
  message: string,
  store: Finding["store"] = "balance",
): Finding => ({ code, id, store, version: null, message });

const unreadable = (id: string): Finding => about(id, "unreadable", "the balance cannot be read");

const cannotRead = (id: string): BalanceLook => ({
  findings: [unreadable(id)],
  evidence: null,
  funds: null,
});

/** Whether its funds are what all its changes moved: it can be told at its last entry. */
function addsUp({ entries, newest, funds }: Evidence, after: number, soFar: FundsSoFar | null) {
  const isEnd = (entries.at(-1)?.version ?? after) >= newest.version;
  return funds === null || soFar === null || !isEnd || soFar.sum === funds.has.toString();
}

function profileFindingsOf(
  instance: string,
  id: string,
  { stored, used, createdBy, seal }: Evidence,
): Finding[] {
  if (stored === null) return [unreadable(id)];
  const messages: string[] = [];
  if (stored.balanceId !== id) messages.push("it lies in the object of another balance");
  if (profileSeal(stored, stored.profileVersion, createdBy) !== seal) {
    messages.push("the seal of its profile is not that of its content");
  }
  const { indicator, currency, ledgerId } = stored;
  if (createdBy !== "" && indicatorBalanceId(instance, indicator, currency) !== id) {
    messages.push("its id is not that of its indicator and currency");
  }
  if (createdBy !== "" && ledgerId !== GENERAL_LEDGER_ID) messages.push("it is in another ledger");
  if (textOf(stored) !== textOf(used)) messages.push("the balance on disk is not the one in use");
  return messages.map((message) => about(id, "profile_altered", message));
}

const textOf = (snapshot: Evidence["used"]): string =>
  JSON.stringify(
    Object.entries(snapshot)
      .map(([key, value]) => `${key}=${value}`)
      .sort(),
  );

/** What D1's row of a balance is held against. */
interface Compared {
  readonly evidence: Evidence;
  readonly copy: Values | undefined;
  /** The amounts of the version that D1 has, when it is behind; null when the object does not know them. */
  readonly then: AmountsThen | null;
  readonly earlier: Earlier | null;
}

type AmountsThen = Amounts & Pick<BalanceSnapshot, "version">;

/** The amounts that a balance had at the version of its row in D1. */
async function amountsThen(
  { inspector }: AuditContext,
  { used }: Evidence,
  copy: Values | undefined,
): Promise<AmountsThen | null> {
  const version = Number(copy?.["version"]);
  if (!Number.isSafeInteger(version) || version >= used.version) return null;
  if (version <= FIRST_VERSION) return { ...NO_AMOUNTS, version };
  const then = await inspector.balance(used.balanceId, version);
  if (then?.version !== version) return null;
  const { credit, debit, inflightCredit, inflightDebit } = then;
  return { credit, debit, inflightCredit, inflightDebit, version };
}

/** D1 against the object. For a while after a change D1 may be behind. */
function copyFindings(ctx: AuditContext, id: string, compared: Compared): Finding[] {
  const { evidence, copy } = compared;
  const { stored, newest } = evidence;
  if (stored === null) return [];
  const nowMs = millisOf(ctx.now());
  const isRecent = (at: string) => at !== "" && nowMs - millisOf(at) < IN_D1_MS;
  if (copy === undefined) {
    // Once there it stays, however often its money moves.
    if (isRecent(stored.createdAt)) return [];
    return [about(id, "copy_missing", "D1 does not have it", "d1")];
  }
  const isBehind = Number(copy["version"]) < stored.version && isRecent(newest.at);
  const then = isBehind ? compared.then : null;
  const columns = [
    ...differences(
      ctx.copies.ofBalance(then === null ? stored : { ...stored, ...then }),
      copy,
    ).filter((column) => !PROFILE_COLUMNS.includes(column)),
    ...profileDifferences(ctx, { stored, copy, earlier: compared.earlier }),
  ];
  if (columns.length === 0) return [];
  return [about(id, "copy_differs", `D1 and the balance differ in ${columns.join(", ")}`, "d1")];
}

/**
 * Where D1 has another profile than it may have. It has at least what its shard took there, and at most what the object has
 * now: the profile of either reading, or one of a version between them.
 */
function profileDifferences(
  ctx: AuditContext,
  {
    stored,
    copy,
    earlier,
  }: {
    readonly stored: BalanceSnapshot;
    readonly copy: Values;
    readonly earlier: Earlier | null;
  },
): string[] {
  const inD1 = Number(copy["profile_version"]);
  const { balance: oldest, isInD1 } = earlier ?? { balance: stored, isInD1: true };
  const isBetween = inD1 > oldest.profileVersion || !isInD1;
  if (isBetween && inD1 < stored.profileVersion) return [];
  const expected = inD1 === oldest.profileVersion ? oldest : stored;
  return differences(ctx.copies.ofBalance(expected), copy).filter((column) =>
    PROFILE_COLUMNS.includes(column),
  );
}

/** Entries that are not what the journal has of their transactions. */
async function unexplained(
  ctx: AuditContext,
  id: string,
  entries: readonly Entry[],
): Promise<Finding[]> {
  const byTransaction = Map.groupBy(entries, ({ transactionId }) => transactionId);
  const explained = await ctx.inspector.each(
    [...byTransaction.keys()],
    ({ transactionId, record }): [Entry, string | null][] =>
      (byTransaction.get(transactionId) ?? []).flatMap((entry) =>
        record === null ? [] : [[entry, conflictOf(id, entry, record)]],
      ),
  );
  const conflicts = new Map(explained.flat());
  return entries.flatMap((entry) => {
    const conflict = conflicts.get(entry);
    const message = conflict === undefined ? "no transaction made it" : conflict;
    if (message === null) return [];
    return [{ ...about(id, "entry_unexplained", message), version: entry.version }];
  });
}

function conflictOf(id: string, entry: Entry, record: InspectedRecord): string | null {
  const { posting, outcome, isSettled, status } = record;
  const side = entry.side === "source" ? "source" : "destination";
  if (operationOf(record, side) !== entry.op) return "its transaction did not make it";
  if (posting[side].balanceId !== id) return "its transaction moves another balance";
  if (posting.preciseAmount.toString() !== entry.amount || actionOf(posting) !== entry.action) {
    return "its transaction moves something else";
  }
  if (entry.seal !== "" && entry.seal !== postingSeal(posting)) {
    return "its transaction was recorded with other content";
  }
  if (!isSettled) return null;
  if (status === "REJECTED") return "its transaction was rejected";
  const version = side === "source" ? outcome?.sourceVersion : outcome?.destinationVersion;
  return version === entry.version ? null : "its transaction names another version";
}
