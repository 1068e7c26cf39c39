import { type Action, type Amounts, changed, NO_AMOUNTS } from "./balance";
import type { Finding, FindingCode } from "./finding";
import type { BalanceId } from "./ids";
import { type Entry, entryContent, entryHash, GENESIS_HASH } from "./seal";

/** Where a look at a chain begins: after which version, and the entry of that version; null before the first entry. */
export interface ChainStart {
  readonly version: number;
  readonly entry: Entry | null;
}

const ACTIONS: readonly string[] = ["apply", "hold", "commit", "void"] satisfies readonly Action[];
const DIGITS = /^-?\d+$/;

/** What is wrong with entries that follow each other: hashes, versions, and amounts that are not those before with the change. */
export function chainFindings(
  balanceId: BalanceId,
  start: ChainStart,
  entries: readonly Entry[],
): Finding[] {
  const findings: Finding[] = [];
  const found = (code: FindingCode, version: number, message: string) =>
    findings.push({ code, id: balanceId, store: "balance", version, message });
  let { version } = start;
  let hash = start.entry?.hash ?? GENESIS_HASH;
  let amounts: Amounts | null = start.entry === null ? NO_AMOUNTS : amountsOf(start.entry);
  for (const entry of entries) {
    if (entry.version !== version + 1) {
      found("entry_missing", version + 1, `entry ${entry.version} follows ${version}`);
    }
    if (entryHash(hash, entryContent(entry)) !== entry.hash) {
      found("entry_altered", entry.version, "the hash of the entry is not that of its content");
    }
    const expected = amounts === null ? null : amountsAfter(amounts, entry);
    const after = amountsOf(entry);
    if (after === null || expected === null || !isSame(after, expected)) {
      found("entry_amounts", entry.version, "the amounts are not those before it with its change");
    }
    ({ version, hash } = entry);
    amounts = after;
  }
  return findings;
}

/** The amounts of an entry; null when they are no numbers. */
export function amountsOf(entry: Entry): Amounts | null {
  const { credit, debit, inflightCredit, inflightDebit } = entry;
  if (![credit, debit, inflightCredit, inflightDebit].every((text) => DIGITS.test(text))) {
    return null;
  }
  return {
    credit: BigInt(credit),
    debit: BigInt(debit),
    inflightCredit: BigInt(inflightCredit),
    inflightDebit: BigInt(inflightDebit),
  };
}

function amountsAfter(before: Amounts, { side, action, amount }: Entry): Amounts | null {
  if ((side !== "source" && side !== "destination") || !isAction(action)) return null;
  if (!DIGITS.test(amount)) return null;
  const change = { side, action, amount: BigInt(amount), overdraft: { kind: "none" } } as const;
  try {
    return changed(before, change);
  } catch {
    // More is settled than was held.
    return null;
  }
}

/** Whether a text is an action of an entry. */
export const isAction = (text: string): text is Action => ACTIONS.includes(text);

const isSame = (a: Amounts, b: Amounts): boolean =>
  a.credit === b.credit &&
  a.debit === b.debit &&
  a.inflightCredit === b.inflightCredit &&
  a.inflightDebit === b.inflightDebit;
