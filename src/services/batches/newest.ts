import { type LedgerError, type LedgerErrorCode, refusal } from "../../domain/error";
import type { Reply } from "../../durable/journal/protocol";

/** The outcome is not known: the whole is to be asked for again. */
const UNKNOWN = new Set<LedgerErrorCode>(["GEN_OUTCOME_UNKNOWN", "GEN_OVERLOADED"]);
const SHOWN_MAX = 100;

/**
 * One answer for many, given newest first: the newest success. What is done already counts as nothing, unless there
 * is nothing else; any other refusal is told, with all its like, although the others stand. Null for none at all.
 */
export function newestOf<T>(
  replies: readonly Reply<T>[],
  isDone: (code: LedgerErrorCode) => boolean,
): Reply<T> | null {
  const errors = replies.flatMap((reply) => (reply.ok ? [] : [reply.error]));
  const unknown = errors.find(({ code }) => UNKNOWN.has(code));
  if (unknown !== undefined) return { ok: false, error: ofAll(unknown, replies), replayed: false };
  const refused = errors.filter(({ code }) => !isDone(code));
  const newest = replies.find(({ ok }) => ok);
  const [first] = refused;
  if (first !== undefined && newest !== undefined) {
    const details = { refused: refused.slice(0, SHOWN_MAX) };
    const message = `${first.message}; the others are done`;
    return { ok: false, error: refusal(first.code, message, details), replayed: false };
  }
  return newest ?? replies[0] ?? null;
}

/** Turned away means that nothing was done: not so when some of them stand. */
function ofAll(error: LedgerError, replies: readonly Reply<unknown>[]): LedgerError {
  if (error.code !== "GEN_OVERLOADED" || !replies.some(({ ok }) => ok)) return error;
  return {
    ...error,
    code: "GEN_OUTCOME_UNKNOWN",
    message: "a part of it is done: send the same request again for the rest",
  };
}
