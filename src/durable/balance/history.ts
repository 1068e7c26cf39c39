import type { Amounts } from "../../domain/balance";
import { FIRST_VERSION } from "../../domain/seal";
import type { Instant } from "../../domain/time";

/** Minor units that had settled. */
export type Settled = Pick<Amounts, "credit" | "debit">;

/** The minute of an instant, as the beginning of its text. */
const minuteOf = (instant: Instant): string => instant.slice(0, 16);

const ELSEWHEN = "substr(effective_date, 1, 16) <> substr(at, 1, 16)";

/**
 * Entries are stored in the order in which they were made, and nearly all take effect in the minute in which they are
 * made. This index has the others only, so that it costs next to nothing and finds whatever was dated back or ahead.
 */
export const HISTORY_INDEX = `CREATE INDEX elsewhen ON entries (effective_date) WHERE ${ELSEWHEN};`;

/**
 * What had settled by a moment: all changes whose effective date is not after it. It takes the amounts that stood when its
 * minute began and corrects them by the entries of that minute and by those that were dated elsewhen, so it does not
 * matter how long the balance's history is.
 */
export function settledAt(
  sql: SqlStorage,
  moment: Instant,
  newest: Settled & { readonly version: number },
): Settled {
  const minute = minuteOf(moment);
  const begun = lastBefore(sql, minute, newest.version);
  const ended = lastBefore(sql, `${minute}~`, newest.version);
  const sum = { ...amountsAt(sql, begun) };
  const add = (sign: bigint, where: string, ...values: (string | number)[]) => {
    for (const { side, amount } of changes(sql, where, values)) {
      sum[side === "source" ? "debit" : "credit"] += sign * BigInt(amount);
    }
  };
  const within = `version > ? AND version <= ? AND NOT (${ELSEWHEN}) AND effective_date <= ?`;
  add(1n, within, begun, ended, moment);
  add(-1n, `${ELSEWHEN} AND effective_date > ? AND version <= ?`, moment, begun);
  add(1n, `${ELSEWHEN} AND effective_date <= ? AND version > ?`, moment, begun);
  return sum;
}

/** The last version that was made before a moment: versions have no gap, and are never older than the one before. */
function lastBefore(sql: SqlStorage, moment: string, newest: number): number {
  let [low, high] = [FIRST_VERSION, newest];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const entry = sql
      .exec<{ at: string }>("SELECT at FROM entries WHERE version = ?", middle)
      .one();
    if (entry.at < moment) low = middle;
    else high = middle - 1;
  }
  return low;
}

function amountsAt(sql: SqlStorage, version: number): Settled {
  if (version === FIRST_VERSION) return { credit: 0n, debit: 0n };
  const { credit, debit } = sql
    .exec<{ credit: string; debit: string }>(
      "SELECT credit, debit FROM entries WHERE version = ?",
      version,
    )
    .one();
  return { credit: BigInt(credit), debit: BigInt(debit) };
}

/** Changes of what is settled; holds and voids are none. */
const changes = (sql: SqlStorage, where: string, values: readonly (string | number)[]) =>
  sql.exec<{ side: string; amount: string }>(
    `SELECT side, amount FROM entries WHERE action IN ('apply', 'commit') AND ${where}`,
    ...values,
  );
