import { z } from "zod";
import type { Key } from "../../storage/copies";

const transactionKey = z.tuple([z.string(), z.string()]);

/** After which of D1's transactions: the text of its key, "" at the beginning. */
const afterKey = z.string().refine((text) => text === "" || keyOfText(text) !== null);

/** The key of such a text; null at the beginning. */
export function keyOfText(text: string): Key | null {
  try {
    return transactionKey.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** A key as a text. */
export const textOfKey = (key: Key): string => JSON.stringify(key);

/**
 * What the changes of a balance have moved of its funds, as one number, up to where a walk stands, and the versions of those
 * that were not traced yet.
 */
const fundsSoFar = z.object({
  salt: z.string(),
  sum: z.string().regex(/^-?\d+$/),
  untraced: z.array(z.int()),
});

/**
 * Where a walk stands. It goes through the shards, in each through its transactions, the balances that it met and its batches, and then
 * through what D1 has of both; a balance's entries are looked at with its row in D1.
 */
const place = z.discriminatedUnion("part", [
  z.object({ part: z.literal("transactions"), shard: z.int().nonnegative(), after: z.string() }),
  z.object({ part: z.literal("balances"), shard: z.int().nonnegative(), after: z.string() }),
  z.object({ part: z.literal("batches"), shard: z.int().nonnegative(), after: z.string() }),
  z.object({ part: z.literal("transaction-copies"), after: afterKey }),
  z.object({
    part: z.literal("balance-copies"),
    after: z.string(),
    /** The balance in the middle of which it stopped, after which of its versions, and its funds up to there when they can be told. */
    within: z
      .object({
        id: z.string(),
        version: z.int().positive(),
        funds: fundsSoFar.nullable().default(null),
      })
      .nullable(),
  }),
]);

const sums = z.record(z.string(), z.string().regex(/^-?\d+$/));

const cursor = z.object({
  place,
  /** When the walk began, in milliseconds since 1970. */
  startedMs: z.number(),
  /** Minor units of all balances so far, by currency. */
  sums,
  /** Currencies of which money moved after the walk began: their sums mean nothing. */
  moved: z.array(z.string()),
});

export type Place = z.infer<typeof place>;
export type FundsSoFar = z.infer<typeof fundsSoFar>;
export type Cursor = z.infer<typeof cursor>;

/** The beginning of a walk. */
export const START: Place = { part: "transactions", shard: 0, after: "" };

/**
 * The place after the ids (in D1's transactions: the texts of the keys) that were found at one: in the same part while it has
 * more, else in the part after it, which may be that of the next shard; null at the end.
 */
export function nextPlace(
  at: Place,
  ids: readonly string[],
  { hasMore, shards }: { readonly hasMore: boolean; readonly shards: number },
): Place | null {
  const last = ids.at(-1);
  if (last !== undefined && hasMore) return { ...at, after: last };
  switch (at.part) {
    case "transactions":
      return { ...at, part: "balances", after: "" };
    case "balances":
      return { ...at, part: "batches", after: "" };
    case "batches":
      return at.shard + 1 < shards
        ? { part: "transactions", shard: at.shard + 1, after: "" }
        : { part: "transaction-copies", after: "" };
    case "transaction-copies":
      return { part: "balance-copies", after: "", within: null };
    case "balance-copies":
      return null;
  }
}

/** Something as clients carry it: opaque. */
const sealedUp = (value: unknown): string => btoa(encodeURIComponent(JSON.stringify(value)));

function opened<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(decodeURIComponent(atob(text))));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** A cursor as clients carry it: opaque. */
export const writeCursor = (value: Cursor): string => sealedUp(value);

/** The cursor of such a text; null when it is none. */
export const readCursor = (text: string): Cursor | null => opened(cursor, text);

/** A place alone, as a cursor. */
export const writePlace = (value: Place): string => sealedUp(value);

/** The place of such a text; null when it is none. */
export const readPlace = (text: string): Place | null => opened(place, text);
