import { mayRefuseBatch, settledBatch } from "./batches";
import type { Record } from "./ending";
import { actionOf, amountOf, breaks, type Facts, sum, type Violation } from "./facts";
import { listOf } from "./lists";
import type { Bulk, FollowUp, Movement, Post, SettleMany, Split } from "./plan";
import type { Call } from "./play";
import { previewed } from "./previews";
import { mayRefuseFollowUp, mayRefuseMovements } from "./refusals";
import { type Answer, fieldIn, type Told } from "./requests";

/** Whether every answer was possible, given what came of it (laws 2, 4, 5 and 6). */
export function answersOf(facts: Facts): Violation[] {
  return [...facts.ledger.calls.flatMap((call) => wrongWith(call, facts)), ...rejections(facts)];
}

function wrongWith(call: Call, facts: Facts): Violation[] {
  const { told, send } = call;
  const what = `${send.name} (${send.request.kind}) was told ${wordsOf(told)}`;
  if (told.kind === "unknown") {
    if (told.code === "") return [breaks(6, `${what}, without a code`)];
    // No simulation comes near the bounds.
    if (told.code === "GEN_OVERLOADED") return [breaks(6, `${what}, but there is room`)];
    const isFair = told.code === null || facts.wasStruck(call);
    return isFair ? [] : [breaks(6, `${what}, but nothing failed meanwhile`)];
  }
  if (told.status < 300 && send.request.kind === "list") {
    const { what: listed } = send.request;
    const wrong = listOf(listed, call, told, facts);
    if (told.isBehind && !facts.wasStruckBefore(call)) {
      wrong.push(breaks(8, "it is behind, and nothing failed"));
    }
    return wrong.map(({ law, words }) => breaks(law, `${what}, but ${words}`));
  }
  if (told.status < 300) {
    const wrong = accepted(call, told, facts);
    return wrong === "" ? [] : [breaks(6, `${what}, but ${wrong}`)];
  }
  const isDefinite = facts
    .sendings(call)
    .every((each) => each.told.kind === "answer" && each.told.status >= 300);
  const left = isDefinite ? facts.madeBy(call).filter((record) => mayNotBe(record, call)) : [];
  return [
    ...left.map(({ reference }) => breaks(2, `${what}, and left ${reference}`)),
    ...(isPossible(facts.sinceFirst(call), told, facts)
      ? []
      : [breaks(4, `${what}: for no reason`)]),
  ];
}

const wordsOf = (told: Told): string =>
  told.kind === "unknown" ? told.why : `${told.status} ${told.code}`.trim();

/** What a refused request may leave: the part of a batch before the item that stopped it. */
const mayNotBe = (record: Record, { send: { request } }: Call): boolean =>
  request.kind !== "bulk" || (request.atomic && actionOf(record) !== null);

/** What is wrong with an answer that says yes; "" when nothing is. */
function accepted(call: Call, told: Answer, facts: Facts): string {
  const { request } = call.send;
  switch (request.kind) {
    case "post":
    case "split":
      return acceptedPost(request, call, told, facts);
    case "bulk":
      return acceptedBulk(request, call, told, facts);
    case "commit":
    case "void":
    case "refund":
      return acceptedFollowUp(request, call, told, facts);
    case "commit-many":
    case "void-many":
      return acceptedMany(request, call, told, facts);
    case "cancel": {
      const status = facts.posted(request.reference)?.status;
      const isRight = status === "REJECTED" && fieldIn(told.body, "status") === status;
      return isRight ? "" : `it is ${status}`;
    }
    case "commit-batch":
    case "void-batch":
      return settledBatch(request, facts);
    case "preview":
      return previewed(request.of, call, told, facts);
    case "look":
    case "look up":
      return seenRight(request.reference, told, facts);
    case "recover":
      return recovered(call, facts);
    case "weigh":
    case "list":
      return "";
  }
}

/** What waits in the queue for longer is carried out by a recovery, in milliseconds. */
const WAITING_MS = 121_000;

/** Of what a client knew to wait for too long something still waits when it has been recovered. */
function recovered(call: Call, facts: Facts): string {
  if (facts.wasStruckBefore(call)) return "";
  const { calls, clock, ending } = facts.ledger;
  const waited = calls.flatMap(({ send: { request }, told, ended }) => {
    const isOld = ended < call.began && call.sentMs - clock.reached(ended) > WAITING_MS;
    const isQueued = told.kind === "answer" && fieldIn(told.body, "status") === "QUEUED";
    return isOld && isQueued && request.kind === "post" ? request.reference : [];
  });
  const late = waited.find((reference) => {
    const id = facts.posted(reference)?.id;
    return ending.balances.some(({ entries }) =>
      entries.some(
        ({ transactionId, atMs }) =>
          transactionId === id && clock.momentsOf(atMs).first > call.ended,
      ),
    );
  });
  return late === undefined ? "" : `${late} still waited`;
}

function acceptedPost(request: Post | Split, call: Call, told: Answer, facts: Facts): string {
  const { reference, skipQueue, inflight, amount } = request;
  const record = facts.posted(reference);
  if (record === undefined) return "there is no such record";
  if (record.description !== call.send.name) return "the record is another's";
  if (fieldIn(told.body, "transaction_id") !== record.id) return "under another id";
  const isScheduled = request.kind === "post" && request.due?.what === "start";
  const status = skipQueue
    ? inflight
      ? "INFLIGHT"
      : "APPLIED"
    : isScheduled
      ? "SCHEDULED"
      : "QUEUED";
  if (fieldIn(told.body, "status") !== status) return `as ${fieldIn(told.body, "status")}`;
  if (skipQueue && record.status !== status) return `it is ${record.status}`;
  if (record.amount !== amount || record.inflight !== inflight) return "of another amount or kind";
  const shares = facts.legsOf(record);
  if (request.kind === "split") {
    const isWhole = sum(shares.map(amountOf)) === amount && shares.length === request.many.length;
    return isWhole ? "" : "its shares are not the whole";
  }
  return isBetween(record, request, facts) ? "" : "between other balances";
}

const isBetween = (record: Record, { from, to, currency }: Movement, { ledger }: Facts): boolean =>
  record.source === ledger.balanceId(from, currency) &&
  record.destination === ledger.balanceId(to, currency) &&
  record.currency === currency;

function acceptedBulk(request: Bulk, call: Call, told: Answer, facts: Facts): string {
  const results = fieldIn(told.body, "results");
  if (!Array.isArray(results) || results.length !== request.items.length) return "without results";
  for (const [index, item] of request.items.entries()) {
    const status = fieldIn(results[index] ?? null, "status");
    // In the background nothing is known yet: what became of it is looked at in the end.
    const isTold = request.atomic || request.skipQueue || status === "QUEUED";
    const isWanted = isTold && !request.runAsync;
    if (!isWanted) continue;
    const record = facts.posted(item.reference);
    if (record === undefined || record.description !== call.send.name) {
      return `${item.reference} is not there`;
    }
    if (!isBetween(record, item, facts) || record.amount !== item.amount) {
      return `${item.reference} is another movement`;
    }
    if (status !== "QUEUED" && status !== record.status) {
      return `${item.reference} was ${String(status)}, and is ${record.status}`;
    }
  }
  return "";
}

function acceptedFollowUp(request: FollowUp, call: Call, told: Answer, facts: Facts): string {
  const { kind, amount, reference, skipQueue } = request;
  const parent = facts.posted(reference);
  const made = facts.madeBy(call).filter((each) => each.kind === kind);
  if (parent === undefined || made.length === 0) return "it left nothing";
  const id = fieldIn(told.body, "transaction_id");
  const isSettlement = kind !== "refund";
  if (amount !== null && kind !== "void") {
    const isAsked = isSettlement
      ? made.every((each) => each.amount === amount)
      : sum(made.map(amountOf)) === amount;
    if (!isAsked) return "of another amount";
  }
  if (isSettlement && !skipQueue) return id === parent.id ? "" : "under another id";
  const child = made.find((each) => each.id === id);
  if (child === undefined) return "under another id";
  const status = fieldIn(told.body, "status");
  const isStill = status === child.status || (!skipQueue && status === "QUEUED");
  return isStill ? "" : `was ${String(status)}, and is ${child.status}`;
}

function acceptedMany(request: SettleMany, call: Call, told: Answer, facts: Facts): string {
  const results = fieldIn(told.body, "results");
  if (!Array.isArray(results)) return "without results";
  const children = facts.madeBy(call);
  const made = new Set(children.map(({ parent }) => parent));
  const { amounts } = request;
  for (const [index, result] of results.entries()) {
    const id = String(fieldIn(result, "transaction_id"));
    const hold = facts.record(id);
    const ids = hold === undefined ? [] : facts.legsOf(hold).map((leg) => leg.id);
    const isMade = ids.some((each) => made.has(each));
    const asked = request.kind === "commit-many" ? (amounts[index] ?? null) : null;
    const isOther = children.some(
      ({ parent, amount }) => asked !== null && ids.includes(parent) && amount !== asked,
    );
    if (isOther) return `${id} was settled by another amount`;
    const status = fieldIn(result, "status");
    const code = fieldIn(result, "code");
    if (status === "succeeded" && !isMade) return `${id} was not settled`;
    if (status === "queued" && code === "QUEUED" && !isMade) return `${id} was not queued`;
  }
  return "";
}

/** Law 4: what was seen and cannot change has not changed. */
function seenRight(reference: string, told: Answer, facts: Facts): string {
  const status = fieldIn(told.body, "status");
  const record = facts.posted(reference);
  if (record === undefined) return "it is gone";
  const isOpen = status === "QUEUED" || status === "SCHEDULED";
  return isOpen || status === record.status
    ? ""
    : `it was ${String(status)}, and is ${record.status}`;
}

/** Whether a refusal has a reason, given what came of everything. */
function isPossible(call: Call, { code, body }: Answer, facts: Facts): boolean {
  const { request } = call.send;
  switch (request.kind) {
    case "post":
      return (
        mayRefuseMovements([request], code, call, facts) &&
        (code !== "TXN_DUPLICATE_REFERENCE" || isNamed())
      );
    case "split": {
      const shares = request.side === "sources" ? request.many : [request.one];
      const parts = shares.map((from) => ({
        ...request,
        from,
        to: request.one,
        limit: 0n,
        currency: "USD" as const,
      }));
      return mayRefuseMovements(parts, code, call, facts);
    }
    case "bulk":
      return mayRefuseMovements(request.items, code, call, facts);
    case "commit":
    case "void":
    case "refund":
      return mayRefuseFollowUp(request, code, call, facts);
    case "preview":
      return true;
    case "commit-batch":
    case "void-batch":
      return mayRefuseBatch(request, code, call, facts);
    case "cancel":
    case "look":
    case "look up": {
      const record = facts.posted(request.reference);
      const isLost = record !== undefined && facts.wasToldBefore(record, call);
      if (code === "TXN_NOT_FOUND") return !isLost;
      return request.kind === "cancel" && code === "GEN_CONFLICT" && record !== undefined;
    }
    case "weigh": {
      const entries = facts.balance(request.account)?.entries ?? [];
      return (
        code === "BAL_NOT_FOUND" && !entries.some((entry) => facts.isBefore(entry, call.began))
      );
    }
    case "commit-many":
    case "void-many":
    case "list":
    case "recover":
      return false;
  }

  function isNamed(): boolean {
    const detail = fieldIn(body, "error_detail");
    const details = detail === undefined ? undefined : fieldIn(detail, "details");
    const id = details === undefined ? undefined : fieldIn(details, "transaction_id");
    return facts.record(String(id)) !== undefined;
  }
}

/** Law 3 from the other side: what was queued and rejected had a reason to be. */
function rejections(facts: Facts): Violation[] {
  return facts.records.flatMap((record) => {
    const movement = facts.movementOf(record);
    if (movement === undefined || record.status !== "REJECTED") return [];
    const calls = facts.ledger.calls.filter(({ send }) => send.name === record.description);
    const isCancelled = facts.ledger.calls.some(
      ({ send: { request } }) =>
        request.kind === "cancel" && request.reference === record.reference,
    );
    const isFair = calls.some((call) => {
      const { request } = call.send;
      const items = request.kind === "bulk" && request.atomic ? request.items : [movement];
      return mayRefuseMovements(items, null, { ...call, ended: Number.POSITIVE_INFINITY }, facts);
    });
    return isCancelled || isFair
      ? []
      : [breaks(3, `${record.reference} was rejected for no reason`)];
  });
}
