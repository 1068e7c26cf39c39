import { z } from "@hono/zod-openapi";
import { available, settled } from "../domain/balance";
import type { BalanceAt, BalanceSnapshot } from "../domain/balance-record";
import type { Identity } from "../domain/identity";
import type { Ledger } from "../domain/ledger";
import type { NewBalance } from "../domain/new-balance";
import { showInstant, ZERO_TIME } from "../domain/time";
import { bodyOf, instantOut, integerOut, wireDecimalText, wireMetaData } from "./common";
import { IdentityBody, toIdentityBody } from "./identity";
import { wireInteger } from "./json";
import { LedgerBody, toLedgerBody } from "./ledger";
import { metaDataOut, shownObject } from "./meta-data";

/** The body of `POST /balances`: shapes only, the rules are in `domain/new-balance.ts`. */
export const BalanceRequest = bodyOf({
  ledger_id: z.string().optional().openapi({ description: "Required." }),
  currency: z.string().optional().openapi({
    description: "Required. Free text, its case kept.",
    example: "USD",
  }),
  identity_id: z.string().optional().openapi({ description: "Who owns it." }),
  indicator: z.string().optional().openapi({
    description: "A name such as `@fees`, in the General Ledger alone; one a currency.",
  }),
  allocation_strategy: z.string().optional().openapi({
    description:
      "Whose money is spent first, when it tracks that: `FIFO` (default), `LIFO` or `PROPORTIONAL`.",
  }),
  track_fund_lineage: z.boolean().optional().openapi({
    description: "Whether the balance keeps apart whose money it has; needs `identity_id`.",
  }),
  meta_data: wireMetaData.optional(),
  precision: wireDecimalText.optional().openapi({ description: "Not used." }),
}).openapi("BalanceRequest", { required: ["ledger_id", "currency"] });

/** A new balance as the domain reads it. */
export const toNewBalance = (body: z.output<typeof BalanceRequest>): NewBalance => ({
  ledgerId: body.ledger_id ?? "",
  identityId: body.identity_id ?? "",
  currency: body.currency ?? "",
  indicator: body.indicator ?? "",
  allocationStrategy: body.allocation_strategy ?? "",
  trackFundLineage: body.track_fund_lineage ?? false,
  metaData: body.meta_data ?? null,
});

/** The body of `PUT /balances/{id}/identity`. */
export const OwnerRequest = bodyOf({
  identity_id: z.string().min(1, "cannot be blank"),
}).openapi("OwnerRequest");

/** A balance as clients see it (contract/core.md section 3.1). Amounts are in minor units. */
export const BalanceBody = z
  .object({
    balance: integerOut,
    version: z.int(),
    inflight_balance: integerOut,
    credit_balance: integerOut,
    inflight_credit_balance: integerOut,
    debit_balance: integerOut,
    inflight_debit_balance: integerOut,
    queued_debit_balance: integerOut.optional(),
    queued_credit_balance: integerOut.optional(),
    ledger_id: z.string(),
    identity_id: z.string(),
    balance_id: z.string(),
    indicator: z.string().optional(),
    currency: z.string(),
    identity: IdentityBody.optional(),
    ledger: LedgerBody.optional(),
    created_at: instantOut,
    inflight_expires_at: instantOut,
    meta_data: metaDataOut,
    track_fund_lineage: z.boolean(),
    allocation_strategy: z.string(),
  })
  .openapi("Balance");

export type BalanceBody = z.output<typeof BalanceBody>;

/** What may be shown beside a balance; null where it is not. */
export interface BesideBalance {
  readonly queued: { readonly debit: bigint; readonly credit: bigint } | null;
  readonly ledger: Ledger | null;
  readonly identity: Identity | null;
}

const NOTHING: BesideBalance = { queued: null, ledger: null, identity: null };

/** A balance for the wire. */
export function toBalanceBody(
  balance: BalanceSnapshot,
  { queued, ledger, identity }: BesideBalance = NOTHING,
): BalanceBody {
  const { indicator, inflightCredit, inflightDebit } = balance;
  return {
    balance: wireInteger(settled(balance)),
    version: balance.version,
    inflight_balance: wireInteger(inflightCredit - inflightDebit),
    credit_balance: wireInteger(balance.credit),
    inflight_credit_balance: wireInteger(inflightCredit),
    debit_balance: wireInteger(balance.debit),
    inflight_debit_balance: wireInteger(inflightDebit),
    ...(queued === null
      ? {}
      : {
          queued_debit_balance: wireInteger(queued.debit),
          queued_credit_balance: wireInteger(queued.credit),
        }),
    ledger_id: balance.ledgerId,
    identity_id: balance.identityId,
    balance_id: balance.balanceId,
    ...(indicator === "" ? {} : { indicator }),
    currency: balance.currency,
    // As in Blnk (scenario balance-create-read): the included ones come without these.
    ...(identity === null
      ? {}
      : { identity: { ...toIdentityBody(identity), identity_type: "", meta_data: null } }),
    ...(ledger === null ? {} : { ledger: { ...toLedgerBody(ledger), meta_data: null } }),
    created_at: showInstant(balance.createdAt),
    inflight_expires_at: ZERO_TIME,
    meta_data: shownObject(balance.metaData),
    track_fund_lineage: balance.trackFundLineage,
    allocation_strategy: balance.allocationStrategy,
  };
}

/** A balance as a transaction left it: amounts in minor units. */
export const ResultingBalanceBody = z
  .object({
    balance_id: z.string(),
    role: z.enum(["source", "destination"]),
    currency: z.string(),
    indicator: z.string().optional(),
    balance: integerOut,
    available: integerOut.openapi({
      description: "What can be spent: the balance less what is held.",
    }),
    credit_balance: integerOut,
    debit_balance: integerOut,
    inflight_balance: integerOut,
    inflight_credit_balance: integerOut,
    inflight_debit_balance: integerOut,
    version: z.int(),
  })
  .openapi("ResultingBalance");

/** A balance as a transaction left it, for the wire. */
export function toResultingBalanceBody({
  role,
  snapshot,
}: {
  readonly role: "source" | "destination";
  readonly snapshot: BalanceSnapshot;
}): z.output<typeof ResultingBalanceBody> {
  const { indicator, inflightCredit, inflightDebit } = snapshot;
  return {
    balance_id: snapshot.balanceId,
    role,
    currency: snapshot.currency,
    ...(indicator === "" ? {} : { indicator }),
    balance: wireInteger(settled(snapshot)),
    available: wireInteger(available(snapshot)),
    credit_balance: wireInteger(snapshot.credit),
    debit_balance: wireInteger(snapshot.debit),
    inflight_balance: wireInteger(inflightCredit - inflightDebit),
    inflight_credit_balance: wireInteger(inflightCredit),
    inflight_debit_balance: wireInteger(inflightDebit),
    version: snapshot.version,
  };
}

/** What had settled by a moment (contract/core.md section 3.5). Amounts are in minor units. */
export const BalanceAtBody = z
  .object({
    balance: z.object({
      balance: integerOut,
      balance_id: z.string(),
      credit_balance: integerOut,
      currency: z.string(),
      debit_balance: integerOut,
    }),
    from_source: z.boolean(),
    timestamp: z.string().openapi({ description: "As it was asked for, whole seconds." }),
  })
  .openapi("BalanceAt");

/** What had settled by a moment, for the wire; beside it what was asked. */
export const toBalanceAtBody = (
  { balanceId, currency, credit, debit }: BalanceAt,
  asked: { readonly fromSource: boolean; readonly timestamp: string },
): z.output<typeof BalanceAtBody> => ({
  balance: {
    balance: wireInteger(credit - debit),
    balance_id: balanceId,
    credit_balance: wireInteger(credit),
    currency,
    debit_balance: wireInteger(debit),
  },
  from_source: asked.fromSource,
  timestamp: asked.timestamp
    .toUpperCase()
    .replace(/\.\d+/, "")
    .replace(/[+-]00:00$/, "Z"),
});
