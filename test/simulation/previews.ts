import { writeJson } from "../support/api";
import type { Facts } from "./facts";
import type { Order } from "./plan";
import type { Call } from "./play";
import { type Answer, fieldIn } from "./requests";

/** What is wrong with what somebody was told would happen; "" when nothing is: nothing happened, and then that did. */
export function previewed(of: Order, call: Call, told: Answer, facts: Facts): string {
  if (facts.madeBy(call).length > 0) return "it was done";
  if (fieldIn(told.body, "dry_run") !== true) return "as if it were no question";
  const isOne = of.kind === "post" || of.kind === "commit" || of.kind === "void";
  const next = facts.ledger.calls.find(
    ({ send, began }) => send.request === of && began > call.ended,
  );
  if (!isOne || !of.skipQueue || next === undefined || next.told.kind !== "answer") return "";
  if (!isQuiet(call, next, facts)) return "";
  const would = fieldIn(told.body, "would_apply") === true;
  const code = codeOf(told);
  const isSame = would ? next.told.status < 300 : next.told.code === code;
  return isSame
    ? ""
    : `${writeJson(would)} ${code}, and then it was ${next.told.status} ${next.told.code}`;
}

const codeOf = ({ body }: Answer): string => {
  const rejection = fieldIn(body, "rejection");
  return rejection === undefined ? "" : String(fieldIn(rejection, "code"));
};

/** Whether nothing else happened from a question to its order's answer. */
function isQuiet(asked: Call, done: Call, facts: Facts): boolean {
  const { calls, ending, clock } = facts.ledger;
  const isAlone = calls.every(
    (each) =>
      each === asked || each === done || each.ended < asked.began || each.began > done.ended,
  );
  const own = new Set(facts.madeBy(done).map(({ id }) => id));
  const isStill = ending.balances.every(({ entries }) =>
    entries.every(({ transactionId, atMs }) => {
      const { first, last } = clock.momentsOf(atMs);
      return own.has(transactionId) || last < asked.began || first > done.ended;
    }),
  );
  // Groups may be at work for longer than anybody waits for them.
  const isPlain = calls.every(
    ({ send: { request }, began }) =>
      began > done.ended || (request.kind !== "split" && request.kind !== "bulk"),
  );
  return isAlone && isStill && isPlain && !facts.wasStruckBefore(done);
}
