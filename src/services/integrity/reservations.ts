import type { Finding } from "../../domain/finding";
import { isBatchId, isTransactionId } from "../../domain/ids";
import { FIRST_VERSION } from "../../domain/seal";
import { atOnce } from "../../durable/at-once";
import type { Evidence } from "../../durable/balance/evidence";
import type { AuditContext } from "../context";

/** So many groups are asked together. */
const GROUPS_AT_ONCE = 16;

/** What a balance keeps back for no group that is under way: nobody would ever let go of it. */
export async function reservationFindings(
  ctx: AuditContext,
  id: string,
  { reservations = [], isReservedSound = true }: Evidence,
): Promise<Finding[]> {
  const findings = isReservedSound
    ? []
    : [finding(id, "what it keeps back on disk is not what it keeps back in use")];
  const asked = await atOnce(GROUPS_AT_ONCE, reservations, async (key) =>
    (await isUnderWay(ctx, key)) ? [] : [key],
  );
  const left = asked.flat();
  if (left.length === 0) return findings;
  // A group lets go of all before it is at its end: what is there after that was never its own.
  const later = await ctx.inspector.evidence(id, { after: FIRST_VERSION, limit: 0 });
  const still = left.filter((key) => later?.reservations?.includes(key));
  return [
    ...findings,
    ...still.map((key) => finding(id, `it keeps money back for ${key}, which is not under way`)),
  ];
}

/** Whether the group that a reservation is named by is under way. */
function isUnderWay({ inspector }: AuditContext, key: string): Promise<boolean> {
  const end = key.lastIndexOf(".");
  const group = key.slice(0, Math.max(0, end));
  if (!isTransactionId(group) && !isBatchId(group)) return Promise.resolve(false);
  return inspector.isUnderWay(group, key.slice(end + 1));
}

const finding = (id: string, message: string): Finding => ({
  code: "reservation_unexplained",
  id,
  store: "balance",
  version: null,
  message,
});
