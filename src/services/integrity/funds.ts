import { instantOfMicros, millisOf } from "../../domain/time";
import type { FundsAsked, FundsLook } from "../../durable/balance/evidence";
import type { AuditContext } from "../context";
import type { FundsSoFar } from "./cursor";

/** Changes of a group are traced after they are posted: one that is older than this is not traced any more, in milliseconds. */
const TRACED_MS = 24 * 3_600_000;
/** So many changes that are not traced yet are remembered; with more, the funds cannot be told this time. */
const UNTRACED_MAX = 100;

/** Before the first entry of a balance. The salt is one that nobody could know before. */
export const noFunds = (ctx: AuditContext): FundsSoFar => ({
  salt: ctx.now(),
  sum: "0",
  untraced: [],
});

/** What a balance is asked for, to go on from there. */
export const askedFrom = (ctx: AuditContext, { salt, untraced }: FundsSoFar): FundsAsked => ({
  salt,
  untraced,
  since: instantOfMicros((millisOf(ctx.now()) - TRACED_MS) * 1000),
});

/** So far with the entries that were looked at; null when it cannot be told. */
export function fundsAfter(soFar: FundsSoFar, looked: FundsLook): FundsSoFar | null {
  if (looked.untraced.length > UNTRACED_MAX) return null;
  const sum = (BigInt(soFar.sum) + looked.moved).toString();
  return { salt: soFar.salt, sum, untraced: [...looked.untraced] };
}
