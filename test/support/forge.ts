/*
 * What a server that lies can answer: proofs of things that never were, whose seals and hashes are made anew so that each agrees with
 * itself. The fields of a proof stand in the order in which they are hashed.
 */

export interface Link {
  readonly version: number;
  readonly hash: string;
}

interface Amounts {
  readonly credit_balance: string;
  readonly debit_balance: string;
  readonly inflight_credit_balance: string;
  readonly inflight_debit_balance: string;
}

export interface Entry extends Link, Amounts {
  readonly operation: string;
  readonly transaction_id: string;
  readonly side: string;
  readonly action: string;
  readonly amount: string;
  readonly seal: string;
}

export interface BalanceProof extends Amounts {
  readonly balance_id: string;
  readonly currency: string;
  readonly version: number;
  readonly entries: readonly Entry[];
  readonly newest: Link;
  readonly next_after: number | null;
}

interface Place {
  readonly balance_id: string;
  readonly before: string;
  readonly entry: Entry;
  readonly next: Entry | null;
  readonly newest: Link;
}

interface Recorded {
  readonly transaction_id: string;
  readonly kind: string;
  readonly source: string;
  readonly destination: string;
  readonly description: string;
  readonly precise_amount: string;
}

export interface TransactionProof {
  readonly transaction_id: string;
  readonly status: string;
  readonly recorded: Recorded;
  readonly seal: string;
  readonly entries: readonly Place[];
}

const GENESIS_HASH = "0".repeat(64);

/** The SHA-256 of a list's JSON, in hexadecimal. */
async function hashOf(list: readonly unknown[]): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(list));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** An entry changed in some fields, with the hash that it then has on the one before it. */
async function forgedEntry(before: string, entry: Entry, change: Partial<Entry> = {}) {
  const { hash: _forgotten, ...content } = { ...entry, ...change };
  const { seal, ...older } = content;
  const list = Object.values(seal === "" ? older : content);
  return { ...content, hash: await hashOf([before, ...list]) };
}

const linkOf = ({ version, hash }: Link): Link => ({ version, hash });

/** The proof of a transaction as if it had been recorded otherwise, or under other versions of its balances. */
export async function forgedTransaction(
  proof: TransactionProof,
  change: Partial<Recorded>,
  { later = 0 }: { readonly later?: number } = {},
): Promise<TransactionProof> {
  const recorded = { ...proof.recorded, ...change };
  const { transaction_id, precise_amount: amount } = recorded;
  const seal = await hashOf(Object.values(recorded));
  const forged = async (place: Place): Promise<Place> => {
    const { before, entry: old } = place;
    const entry = await forgedEntry(before, old, {
      version: old.version + later,
      operation: old.operation.replace(proof.transaction_id, transaction_id),
      transaction_id,
      amount,
      seal,
    });
    const next =
      place.next === null
        ? null
        : await forgedEntry(entry.hash, place.next, { version: place.next.version + later });
    const last = next ?? entry;
    const newest = place.newest.version > last.version ? place.newest : linkOf(last);
    return { ...place, entry, next, newest };
  };
  const entries = await Promise.all(proof.entries.map(forged));
  return { ...proof, transaction_id, recorded, seal, entries };
}

/** A page that ends with its balance, with one entry more, which no transaction made. */
export async function withEntry(page: BalanceProof, change: Partial<Entry>): Promise<BalanceProof> {
  const last = page.entries.at(-1);
  if (last === undefined) throw new Error("the page is empty");
  const entry = await forgedEntry(last.hash, last, { version: last.version + 1, ...change });
  const { credit_balance, debit_balance, inflight_credit_balance, inflight_debit_balance } = entry;
  return {
    ...page,
    credit_balance,
    debit_balance,
    inflight_credit_balance,
    inflight_debit_balance,
    version: entry.version,
    entries: [...page.entries, entry],
    newest: linkOf(entry),
  };
}

/** The whole of a balance as it would be if all of it were older than seals. */
export async function withoutSeals(page: BalanceProof): Promise<BalanceProof> {
  const entries: Entry[] = [];
  for (const entry of page.entries) {
    const before = entries.at(-1)?.hash ?? GENESIS_HASH;
    entries.push(await forgedEntry(before, entry, { seal: "" }));
  }
  const last = entries.at(-1);
  return { ...page, entries, newest: last === undefined ? page.newest : linkOf(last) };
}

/** The proof of a transaction with its entry in the page's balance as the page has it. */
export function asOnPage(proof: TransactionProof, page: BalanceProof): TransactionProof {
  const at = page.entries.findIndex((each) => each.transaction_id === proof.transaction_id);
  const entry = page.entries[at];
  if (entry === undefined) throw new Error("it is not on the page");
  const before = page.entries[at - 1]?.hash ?? GENESIS_HASH;
  const place = { before, entry, next: page.entries[at + 1] ?? null, newest: page.newest };
  const entries = proof.entries.map((each) =>
    each.balance_id === page.balance_id ? { ...each, ...place } : each,
  );
  return { ...proof, entries };
}
