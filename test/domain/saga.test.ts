import { expect, it } from "vitest";
import { actionOf, settledStatus, settlesHold } from "../../src/domain/saga";
import { postingFor } from "../support/postings";

const transfer = { reference: "s", from: "@world", to: "@alice", amount: 1n };

it.each`
  kind        | inflight | action      | status        | settles
  ${"post"}   | ${false} | ${"apply"}  | ${"APPLIED"}  | ${false}
  ${"post"}   | ${true}  | ${"hold"}   | ${"INFLIGHT"} | ${false}
  ${"commit"} | ${false} | ${"commit"} | ${"APPLIED"}  | ${true}
  ${"void"}   | ${false} | ${"void"}   | ${"VOID"}     | ${true}
  ${"refund"} | ${false} | ${"apply"}  | ${"APPLIED"}  | ${false}
`(
  "a $kind with inflight $inflight does $action to both balances and is $status",
  ({ kind, inflight, action, status, settles }) => {
    const posting = { ...postingFor("saga-test", { ...transfer, inflight }), kind };
    expect([actionOf(posting), settledStatus(posting), settlesHold(posting)]).toEqual([
      action,
      status,
      settles,
    ]);
  },
);
