import { changeOf } from "../../domain/movement";
import { postingSeal } from "../../domain/seal";
import type { Posting } from "../../domain/transaction";
import type { Lineage, MoneyOperation } from "../balance/protocol";
import type { Row } from "./row";

export type SideName = "source" | "destination";

/** What operations are made of: a row, or a member of a batch that has no row here. */
export type Moving = Pick<Row, "posting" | "attempt" | "createdAt">;

/** The id of a row's operation on one side: another life of its reference has another attempt. */
export const operationId = (row: Moving, side: SideName): string =>
  `${row.posting.transactionId}.${row.attempt}.${side}`;

/** What a row does to one of its balances. */
export function operationOf(
  row: Moving,
  side: SideName,
  lineage: Lineage | null = null,
): MoneyOperation {
  const { posting } = row;
  const operation: MoneyOperation = {
    kind: "change",
    op: operationId(row, side),
    ...changeOf(posting, side),
    transactionId: posting.transactionId,
    currency: posting.currency,
    effectiveDate: posting.effectiveDate ?? row.createdAt,
    indicator: posting[side].indicator,
    seal: sealOf(posting),
  };
  return lineage === null ? operation : { ...operation, lineage };
}

/** Both sides carry it, and it is made once. */
const seals = new WeakMap<Posting, string>();

function sealOf(posting: Posting): string {
  const known = seals.get(posting);
  if (known !== undefined) return known;
  const seal = postingSeal(posting);
  seals.set(posting, seal);
  return seal;
}
