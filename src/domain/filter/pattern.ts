/** A piece of a pattern: a text that must stand there, or any single character. */
type PatternPiece = { readonly literal: string } | "one";

/** Texts between which there may be anything; a single one is the whole. */
export interface Pattern {
  /** For SQLite's LIKE and GLOB, which take a short pattern only. */
  readonly like: string;
  readonly glob: string;
  /** The start, the end and at most one text between them, for a pattern that is too long for both; else null. */
  readonly pieces: readonly string[] | null;
}

/** SQLite here takes no longer pattern for LIKE and GLOB. */
const PATTERN_BYTES_MAX = 50;

/**
 * Reads a pattern: `%` is anything, `_` any one character, and a backslash takes the next character as it is. Null for one
 * that is longer than 50 bytes and has more to look for than its two ends and one text between them, and for one with a NUL,
 * where SQLite's LIKE and GLOB would end.
 */
export function parsePattern(text: string): Pattern | null {
  if (text.includes("\0")) return null;
  const runs = runsOf(text);
  const like = join(runs, "%", (piece) =>
    piece === "one" ? "_" : piece.literal.replace(/[%_\\]/g, "\\$&"),
  );
  const glob = join(runs, "*", (piece) =>
    piece === "one" ? "?" : piece.literal.replace(/[*?[]/g, "[$&]"),
  );
  if (isShort(like) && isShort(glob)) return { like, glob, pieces: null };
  const pieces = literalsOf(runs);
  return pieces === null ? null : { like, glob, pieces };
}

const isShort = (text: string): boolean =>
  new TextEncoder().encode(text).length <= PATTERN_BYTES_MAX;

const join = (
  runs: readonly (readonly PatternPiece[])[],
  many: string,
  written: (piece: PatternPiece) => string,
): string => runs.map((run) => run.map(written).join("")).join(many);

/** What stands before, between and after the `%` of a pattern. */
function runsOf(text: string): PatternPiece[][] {
  const runs: PatternPiece[][] = [];
  let run: PatternPiece[] = [];
  let literal = "";
  const endLiteral = () => {
    if (literal !== "") run.push({ literal });
    literal = "";
  };
  const characters = [...text];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at];
    if (character === "%") {
      endLiteral();
      runs.push(run);
      run = [];
    } else if (character === "_") {
      endLiteral();
      run.push("one");
    } else if (character === "\\" && at + 1 < characters.length) {
      at += 1;
      literal += characters[at];
    } else {
      literal += character;
    }
  }
  endLiteral();
  return [...runs, run];
}

function literalsOf(runs: readonly (readonly PatternPiece[])[]): readonly string[] | null {
  if (runs.length > 3) return null;
  const texts = runs.map(([piece, ...more]) => {
    if (piece === undefined) return "";
    return piece === "one" || more.length > 0 ? null : piece.literal;
  });
  return texts.every((text) => text !== null) ? texts : null;
}
