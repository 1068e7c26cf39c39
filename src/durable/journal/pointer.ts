import { transactionIdOf } from "../../domain/ids";
import type { Posting } from "../../domain/transaction";

/** What keeps a leg's reference where everybody looks for it, and leads to the leg. */
export const pointerTo = (instance: string, leg: Posting): Posting => ({
  ...leg,
  kind: "pointer",
  transactionId: transactionIdOf(instance, leg.reference),
  parentTransaction: leg.transactionId,
  skipQueue: true,
  metaData: null,
});
