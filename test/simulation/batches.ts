import type { Value } from "../support/api";
import { actionOf, breaks, type Facts, type Violation } from "./facts";
import type { Bulk, Movement, SettleBatch } from "./plan";
import type { Call } from "./play";
import { mayRefuseMovements } from "./refusals";
import { batchIdIn, fieldIn } from "./requests";

/** Laws 4 to 7 of batches whose id somebody was told: each is there, at its end, and tells what became of its items. */
export function batchesOf(facts: Facts): Violation[] {
  const seen = new Set<string>();
  return facts.ledger.calls.flatMap((call) => {
    const { request } = call.send;
    const id = batchIdIn(call.told);
    if (request.kind !== "bulk" || id === null || seen.has(id)) return [];
    seen.add(id);
    const shown = facts.ledger.batches.get(id);
    if (shown === undefined) return [breaks(6, `${id} of ${call.send.name} is not there`)];
    return wrongWith({ id, shown, request, call }, facts);
  });
}

interface Batch {
  readonly id: string;
  /** As it is answered for in the end. */
  readonly shown: Value;
  readonly request: Bulk;
  readonly call: Call;
}

function wrongWith(batch: Batch, facts: Facts): Violation[] {
  const { id, shown, request, call } = batch;
  const status = String(fieldIn(shown, "status"));
  const what = `${id} of ${call.send.name} (${status})`;
  if (status === "processing") return [breaks(5, `${what} never ends`)];
  const results = fieldIn(shown, "results");
  const list: readonly Value[] = Array.isArray(results) ? results : [];
  if (list.length !== request.items.length) return [breaks(4, `${what} has ${list.length} items`)];
  return [
    ...request.items.flatMap((item, at) => wrongItem(item, list[at] ?? null, batch, facts)),
    ...(hasReason(batch, facts) ? [] : [breaks(4, `${what}: for no reason`)]),
    ...(!request.runAsync || isTold(id, status, facts) ? [] : [breaks(7, `${what} is not told`)]),
  ];
}

/** An item is shown as its record stands; of one that was refused no money has moved. */
function wrongItem(item: Movement, result: Value, { id }: Batch, facts: Facts): Violation[] {
  const record = facts.posted(item.reference);
  const own = record?.parent === id ? record : undefined;
  const status = String(fieldIn(result, "status"));
  const isThere = status !== "REJECTED" && status !== "SKIPPED";
  const isRight = isThere
    ? own !== undefined && own.status === status && own.amount === item.amount
    : own === undefined || actionOf(own) === null;
  return isRight
    ? []
    : [breaks(5, `${id}: ${item.reference} is shown as ${status}, and is ${own?.status}`)];
}

/** Whether a batch that failed had to. */
function hasReason({ shown, request, call }: Batch, facts: Facts): boolean {
  const detail = fieldIn(shown, "error_detail");
  if (detail === undefined) return true;
  const code = String(fieldIn(detail, "code"));
  return mayRefuseMovements(
    request.items,
    code,
    { ...call, ended: Number.POSITIVE_INFINITY },
    facts,
  );
}

/** What is wrong with a batch whose holds were said to be settled; "" when nothing is. */
export function settledBatch({ batch }: SettleBatch, facts: Facts): string {
  const open = membersOf(batch, facts).find((member) => {
    const children = facts.following(member, "commit", "void");
    return (member.remaining ?? 0n) !== 0n && children.length === 0;
  });
  return open === undefined ? "" : `${open.reference} is still held`;
}

/** Whether a commit or void of a batch may have been refused. */
export function mayRefuseBatch(
  { batch }: SettleBatch,
  code: string,
  call: Call,
  facts: Facts,
): boolean {
  const members = membersOf(batch, facts);
  const held = members.filter((member) => facts.wasDoneBefore(member, call));
  if (code === "TXN_NOT_INFLIGHT" || code === "TXN_NOT_FOUND") return held.length === 0;
  return members.some((member) => facts.following(member, "commit", "void").length > 0);
}

/** The holds of the batch that a request made. */
const membersOf = (batch: string, { records }: Facts) =>
  records.filter(
    ({ description, kind, status }) =>
      description === batch && kind === "post" && status === "INFLIGHT",
  );

const isTold = (id: string, status: string, { ledger }: Facts): boolean =>
  ledger.ending.events.some(
    ({ event, text }) => event === `bulk_transaction.${status}` && text.includes(id),
  );
