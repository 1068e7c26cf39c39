import { transactionIdOf } from "../../src/domain/ids";
import type { MoneyOperation } from "../../src/durable/balance/protocol";

/** A change of the balance @alice: 100 minor units come in, unless `changes` say otherwise. */
export const changeOf = (
  instance: string,
  op: string,
  changes: Partial<MoneyOperation> = {},
): MoneyOperation => ({
  kind: "change",
  op,
  side: "destination",
  action: "apply",
  amount: 100n,
  overdraft: { kind: "none" },
  transactionId: transactionIdOf(instance, op),
  currency: "USD",
  effectiveDate: "2031-01-01T00:00:00.000000Z",
  indicator: "@alice",
  seal: "5".repeat(64),
  ...changes,
});
