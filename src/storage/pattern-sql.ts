import { type Column, type SQL, sql } from "drizzle-orm";
import type { Pattern } from "../domain/filter/pattern";

/**
 * Whether a column fits a pattern. LIKE ignores the case of ASCII letters alone, GLOB ignores none. A pattern that is too
 * long for them, such as a whole name with a `%` at its end, is compared piece by piece.
 */
export function patternSql(
  column: Column | SQL,
  { like, glob, pieces }: Pattern,
  ignoreCase: boolean,
): SQL {
  if (pieces === null) {
    return ignoreCase ? sql`${column} LIKE ${like} ESCAPE '\\'` : sql`${column} GLOB ${glob}`;
  }
  return ignoreCase
    ? piecesSql(sql`lower(${column})`, pieces.map(lowerAscii))
    : piecesSql(sql`${column}`, pieces);
}

function piecesSql(subject: SQL, [start = "", ...rest]: readonly string[]): SQL {
  const end = rest.at(-1);
  if (end === undefined) return sql`${subject} = ${start}`;
  const between = rest.length === 2 ? (rest[0] ?? "") : "";
  const startLength = lengthSql(start);
  const endLength = lengthSql(end);
  const inner = sql`substr(${subject}, 1 + ${startLength}, length(${subject}) - ${startLength} - ${endLength})`;
  return sql`(length(${subject}) >= ${startLength} + ${endLength}
    AND substr(${subject}, 1, ${startLength}) = ${start}
    AND substr(${subject}, 1 + length(${subject}) - ${endLength}) = ${end}
    AND instr(${inner}, ${between}) > 0)`;
}

/** In characters, as SQLite counts them. */
const lengthSql = (text: string): SQL => sql.raw(String([...text].length));

const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
