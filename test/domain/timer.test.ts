import { describe, expect, it } from "vitest";
import { holdTimer, scheduledMs } from "../../src/domain/timer";
import { postingFor } from "../support/postings";

const transfer = { reference: "t", from: "@world", to: "@alice", amount: 1n };
const EARLY = "2031-04-05T00:00:00Z";
const LATE = "2031-04-05T02:00:00+01:00";
const ANCIENT = "1969-12-31T23:59:59.999Z";
const ZERO = "0001-01-01T00:00:00Z";
const EARLY_MS = Date.UTC(2031, 3, 5);
const LATE_MS = Date.UTC(2031, 3, 5, 1);

describe("the timer of a hold", () => {
  it.each`
    inflight | expiry                         | commit                    | timer
    ${true}  | ${""}                          | ${""}                     | ${null}
    ${true}  | ${EARLY}                       | ${""}                     | ${{ action: "void", atMs: EARLY_MS }}
    ${true}  | ${""}                          | ${LATE}                   | ${{ action: "commit", atMs: LATE_MS }}
    ${true}  | ${LATE}                        | ${EARLY}                  | ${{ action: "commit", atMs: EARLY_MS }}
    ${true}  | ${EARLY}                       | ${LATE}                   | ${{ action: "void", atMs: EARLY_MS }}
    ${true}  | ${EARLY}                       | ${EARLY}                  | ${{ action: "void", atMs: EARLY_MS }}
    ${false} | ${EARLY}                       | ${LATE}                   | ${null}
    ${true}  | ${ANCIENT}                     | ${""}                     | ${{ action: "void", atMs: 0 }}
    ${true}  | ${LATE}                        | ${"0001-01-01T00:00:01Z"} | ${{ action: "commit", atMs: 0 }}
    ${true}  | ${ZERO}                        | ${LATE}                   | ${{ action: "commit", atMs: LATE_MS }}
    ${true}  | ${"0001-01-01T02:00:00+02:00"} | ${ZERO}                   | ${null}
  `(
    "inflight $inflight, expires $expiry, commits $commit: $timer",
    ({ inflight, expiry, commit, timer }) => {
      const posting = postingFor("timer-test", {
        ...transfer,
        inflight,
        inflightExpiryDate: expiry,
        inflightCommitDate: commit,
      });
      expect(holdTimer(posting)).toEqual(timer);
    },
  );
});

it.each`
  skipQueue | scheduledFor | ms
  ${false}  | ${LATE}      | ${LATE_MS}
  ${false}  | ${""}        | ${null}
  ${false}  | ${ANCIENT}   | ${0}
  ${false}  | ${ZERO}      | ${null}
  ${true}   | ${LATE}      | ${null}
`(
  "skip_queue $skipQueue and scheduled_for '$scheduledFor': $ms",
  ({ skipQueue, scheduledFor, ms }) => {
    const posting = postingFor("timer-test", { ...transfer, skipQueue, scheduledFor });
    expect(scheduledMs(posting)).toBe(ms);
  },
);
