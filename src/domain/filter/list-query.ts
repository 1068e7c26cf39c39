import type { Instant } from "../time";
import type { Condition } from "./condition";

/** A place in the stable order of a list: after the row with this time and id. */
export interface Position {
  readonly createdAt: Instant;
  readonly id: string;
}

/** A checked question for a list. */
export interface ListQuery {
  readonly conditions: readonly Condition[];
  readonly combine: "and" | "or";
  readonly sortBy: string;
  readonly direction: "asc" | "desc";
  readonly limit: number;
  readonly offset: number;
  /** Where the last page ended. Only with the order by `created_at`. */
  readonly after: Position | null;
  /** Whether to count all rows that fit, whatever the page. */
  readonly count: boolean;
  /** Whether the caller does without its own latest writes; null when it leaves that to the ledger. */
  readonly eventual: boolean | null;
}

const EVENTUAL: ReadonlyMap<string, boolean | null> = new Map([
  ["", null],
  ["eventual", true],
  ["strong", false],
]);

/** What `consistency` asks for: null for "", which leaves it to the ledger; undefined for a word that it does not know. */
export const eventualOf = (consistency: string): boolean | null | undefined =>
  EVENTUAL.get(consistency);

/** Why a `consistency` is refused. */
export const WRONG_CONSISTENCY = "invalid consistency: must be 'eventual' or 'strong'";

/** A page of a list. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** How many rows fit in all; null when nobody asked. */
  readonly total: number | null;
  /** What continues the list; null at its end, and for an order that has no cursor. */
  readonly nextCursor: string | null;
}

/** A position as an opaque text that is safe in a URL. */
export const cursorOf = ({ createdAt, id }: Position): string =>
  btoa(`${createdAt} ${id}`).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const DECODED = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z) ([\x21-\x7e]{1,200})$/;

/** The position of a cursor; null when the text is none of ours. */
export function positionOf(cursor: string): Position | null {
  if (!/^[A-Za-z0-9_-]{1,400}$/.test(cursor)) return null;
  const base64 = cursor.replace(/-/g, "+").replace(/_/g, "/");
  if (base64.length % 4 === 1) return null;
  const [, createdAt, id] = DECODED.exec(atob(base64)) ?? [];
  return createdAt === undefined || id === undefined ? null : { createdAt, id };
}
