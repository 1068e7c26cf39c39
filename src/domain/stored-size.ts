import type { Split } from "./split";
import type { Posting } from "./transaction";

/**
 * How many bytes of UTF-8 the row of a record may have: SQLite takes two million, and whose money it was and why it was
 * rejected come to it later.
 */
export const STORED_MAX = 1_900_000;

/** No character takes more bytes than this, escaped as JSON. */
const CHARACTER_MAX = 6;
/** More than all the short fields of a record have in characters: names, amounts and dates. */
const SHORT_FIELDS = 20_000;

/**
 * Whether a record would be too long for its row: its text, its metadata once more by itself as merges have left it, and of a
 * split a text for each leg, within another.
 */
export function isTooLongForRow(
  { posting, legs }: Split,
  metaData: string | null = posting.metaData,
): boolean {
  if (legs.length === 0 && isShort(posting, metaData)) return false;
  const claims = legs.map((leg) => JSON.stringify(textOf({ ...leg, metaData: null })));
  return bytesOf(textOf(posting), metaData ?? "", ...claims) > STORED_MAX;
}

/** Nearly every record is, and need not be measured. */
function isShort({ metaData: sent, description }: Posting, metaData: string | null): boolean {
  const characters =
    (sent ?? "").length + (metaData ?? "").length + description.length + SHORT_FIELDS;
  return characters * CHARACTER_MAX <= STORED_MAX;
}

/** About as the journal writes it. */
const textOf = (posting: Posting): string =>
  JSON.stringify(Object.values(posting), (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );

function bytesOf(...texts: readonly string[]): number {
  const encoder = new TextEncoder();
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, 0);
}
