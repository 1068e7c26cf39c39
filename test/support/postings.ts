import { indicatorBalanceId, isIndicator, transactionIdOf } from "../../src/domain/ids";
import type { PostingRequest } from "../../src/domain/posting";
import type { Posting, Side } from "../../src/domain/transaction";
import type { OperationKey } from "../../src/durable/journal/protocol";

/** What a test says of a transfer; the rest is filled in. */
export interface Transfer {
  readonly reference: string;
  /** A balance id or an `@indicator`; `@world` may owe anything, unless `overdraft` says otherwise. */
  readonly from: string;
  readonly to: string;
  /** Minor units. */
  readonly amount: bigint;
  readonly skipQueue?: boolean;
  readonly inflight?: boolean;
  readonly overdraft?: Posting["overdraft"];
  readonly currency?: string;
  /** RFC 3339, as a client writes them. */
  readonly scheduledFor?: string;
  readonly inflightExpiryDate?: string;
  readonly inflightCommitDate?: string;
  /** JSON text. */
  readonly metaData?: string;
}

/** The side of a posting named by a balance id or an `@indicator`. */
export function sideOf(instance: string, name: string, currency: string): Side {
  if (isIndicator(name)) {
    return { balanceId: indicatorBalanceId(instance, name, currency), indicator: name };
  }
  return { balanceId: `bln_${name.slice(4)}`, indicator: null };
}

/** A posting as the HTTP layer would make it. */
export function postingFor(instance: string, transfer: Transfer): Posting {
  const { reference, from, to, amount, currency = "USD" } = transfer;
  const fromWorld = from === "@world";
  return {
    transactionId: transactionIdOf(instance, reference),
    kind: "post",
    parentTransaction: "",
    reference,
    currency,
    description: "a transfer",
    source: sideOf(instance, from, currency),
    destination: sideOf(instance, to, currency),
    preciseAmount: amount,
    precision: 100n,
    amount: "0",
    amountString: "",
    overdraft: transfer.overdraft ?? { kind: fromWorld ? "unlimited" : "none" },
    allowOverdraft: fromWorld,
    overdraftLimit: "0",
    inflight: transfer.inflight ?? false,
    skipQueue: transfer.skipQueue ?? true,
    atomic: false,
    scheduledFor: transfer.scheduledFor ?? "",
    inflightExpiryDate: transfer.inflightExpiryDate ?? "",
    inflightCommitDate: transfer.inflightCommitDate ?? "",
    effectiveDate: null,
    postedEffectiveDate: "",
    hash: "",
    metaData: transfer.metaData ?? null,
    group: null,
    shares: null,
  };
}

/** A request nobody named: its key is random. */
export const anonymous = (): OperationKey => ({
  key: crypto.randomUUID(),
  fingerprint: "",
  fromClient: false,
});

/** What a request asks for that asks for nothing in particular: with `skip_queue`, in dollars and cents. */
export const PLAIN_REQUEST: PostingRequest = {
  amount: null,
  preciseAmount: null,
  precision: "100",
  currency: "USD",
  reference: "",
  description: "",
  source: "",
  destination: "",
  sources: [],
  destinations: [],
  allowOverdraft: false,
  overdraftLimit: "0",
  inflight: false,
  skipQueue: true,
  atomic: false,
  dryRun: false,
  scheduledFor: "",
  inflightExpiryDate: "",
  inflightCommitDate: "",
  effectiveDate: "",
  metaData: null,
};
