import { expect, it } from "vitest";
import { retryDelaySeconds } from "../../src/consumers/retry-delay";

it.each`
  attempts | random | seconds
  ${1}     | ${0}   | ${1}
  ${1}     | ${0.9} | ${2}
  ${2}     | ${0}   | ${16}
  ${3}     | ${0.5} | ${111}
  ${10}    | ${0}   | ${10_000}
  ${14}    | ${1}   | ${38_476}
  ${15}    | ${0}   | ${43_200}
  ${100}   | ${1}   | ${43_200}
`("after attempt $attempts a message waits $seconds s (spread $random)", (row) => {
  expect(retryDelaySeconds(row.attempts, row.random)).toBe(row.seconds);
});
