import { isTransactionId, legIdOf, type TransactionId, transactionIdOf } from "../ids";
import type { Condition } from "./condition";
import type { ListQuery } from "./list-query";

/**
 * The ids that a list of transactions can only be about, since it asks for them or for a reference, of which the id is made;
 * null when it may be about any.
 */
export function onlyIdsOf(
  instance: string,
  { conditions, combine }: ListQuery,
): readonly TransactionId[] | null {
  if (combine === "or" && conditions.length > 1) return null;
  for (const condition of conditions) {
    const ids = idsOf(instance, condition);
    if (ids !== null) return ids;
  }
  return null;
}

function idsOf(instance: string, condition: Condition): readonly TransactionId[] | null {
  if (condition.on !== "field") return null;
  const { field, test } = condition;
  const values =
    test.operator === "eq" ? [test.value] : test.operator === "in" ? test.values : null;
  if (values === null) return null;
  if (field === "transaction_id") return values.filter(isTransactionId);
  return field === "reference" ? values.flatMap((each) => idsOfReference(instance, each)) : null;
}

/** The ids that the record with a reference can have: its own, or under a split the one of a leg. */
function idsOfReference(instance: string, reference: string): TransactionId[] {
  const own = transactionIdOf(instance, reference);
  const [, split] = /^(.+)[-_]\d+$/s.exec(reference) ?? [];
  if (split === undefined) return [own];
  return [own, legIdOf(instance, transactionIdOf(instance, split), reference)];
}
