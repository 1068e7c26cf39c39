import { refusal } from "../domain/error";
import { uuidOfKey } from "../domain/ids";
import { err, ok, type Result } from "../domain/result";
import { type Instant, instantOfMicros, microsOf } from "../domain/time";
import type { KeptAnswer, OperationKey } from "../durable/journal/protocol";
import type { LedgerContext } from "./context";
import { outcomeOf } from "./trouble";

export type { KeptAnswer } from "../durable/journal/protocol";

/** A request that a client named: answered before, or to be carried out now. */
export type Begun =
  | { readonly kind: "answered"; readonly answer: KeptAnswer }
  | {
      readonly kind: "begun";
      /** Makes the same ids at the same time, however often the request is carried out. */
      readonly ledger: LedgerContext;
      /** Keeps the answer for repeats; answers the one that is kept, which another call may have been faster with. */
      keep(answer: KeptAnswer): Promise<Result<KeptAnswer>>;
      /** There is no answer: a repeat begins again. */
      giveUp(): Promise<void>;
    };

/** Begins to answer a request that the client named; `GEN_IDEMPOTENCY_MISMATCH` when its key names another one. */
export async function beginRequest(
  ctx: LedgerContext,
  operation: OperationKey,
): Promise<Result<Begun>> {
  const state = await outcomeOf(ctx.journal.beginAnswer(operation));
  if (!state.ok) return state;
  switch (state.value.kind) {
    case "mismatch":
      return err(mismatch);
    case "answered":
      return ok(state.value);
    case "begun":
      return ok({
        kind: "begun",
        ledger: repeatableLedger(ctx, operation, state.value),
        keep: (answer) => outcomeOf(ctx.journal.keepAnswer(operation, answer)),
        giveUp: async () => {
          await outcomeOf(ctx.journal.dropAnswer(operation));
        },
      });
  }
}

const mismatch = refusal(
  "GEN_IDEMPOTENCY_MISMATCH",
  "the Idempotency-Key was used before with another request",
);

function repeatableLedger(
  ctx: LedgerContext,
  { key }: OperationKey,
  { at, again }: { readonly at: Instant; readonly again: boolean },
): LedgerContext {
  // Two requests that came in one millisecond still have two times.
  const micros = Number.parseInt(uuidOfKey(ctx.instance, key, "time").slice(0, 8), 16) % 1_000;
  const now = instantOfMicros(microsOf(at) + micros);
  let made = 0;
  const uuid = (): string => {
    made += 1;
    return uuidOfKey(ctx.instance, key, String(made));
  };
  return { ...ctx, uuid, now: () => now, isRepeat: again };
}
