/**
 * Every code that a client can meet in `error_detail.code`, with its HTTP status
 * (contract/core.md section 1.9, contract/transactions.md section 14).
 */
export const statusByCode = {
  GEN_MALFORMED_REQUEST: 400,
  GEN_VALIDATION_ERROR: 400,
  GEN_BAD_REQUEST: 400,
  GEN_NOT_FOUND: 404,
  GEN_CONFLICT: 409,
  GEN_INTERNAL: 500,
  GEN_RATE_LIMITED: 429,
  GEN_OVERLOADED: 503,
  GEN_OUTCOME_UNKNOWN: 503,
  GEN_IDEMPOTENCY_MISMATCH: 422,
  AUTH_MISSING_API_KEY: 401,
  AUTH_INVALID_API_KEY: 401,
  TXN_NOT_FOUND: 404,
  TXN_INSUFFICIENT_FUNDS: 400,
  TXN_INVALID_AMOUNT: 400,
  TXN_DUPLICATE_REFERENCE: 409,
  TXN_NOT_INFLIGHT: 400,
  TXN_ALREADY_COMMITTED: 409,
  TXN_ALREADY_VOIDED: 409,
  TXN_COMMIT_AMOUNT_EXCEEDED: 400,
  TXN_INVALID_STATUS_ACTION: 400,
  TXN_VALIDATION_ERROR: 400,
  TXN_BULK_EMPTY: 400,
  TXN_BULK_LIMIT_EXCEEDED: 400,
  BAL_NOT_FOUND: 404,
  BAL_INVALID_TIMESTAMP: 400,
  LGR_NOT_FOUND: 404,
  IDT_NOT_FOUND: 404,
  IDT_VALIDATION_ERROR: 400,
  META_ENTITY_NOT_FOUND: 404,
  META_INVALID_ENTITY_ID: 400,
} as const;

export type LedgerErrorCode = keyof typeof statusByCode;

/**
 * A refusal: what a client did wrong or cannot have, as a plain value that crosses object boundaries.
 * `message` is a sentence for people; programs look at `code` and `details` alone.
 */
export interface LedgerError {
  readonly code: LedgerErrorCode;
  readonly message: string;
  /**
   * Shown as `error_detail.details`: strings and numbers only, never money as a number. A list (bad query filters) is
   * also shown in place of the sentence.
   */
  readonly details?: { readonly [key: string]: unknown } | readonly unknown[];
  /**
   * Where the sentence is shown: `error` unless the contract says `errors`
   * (field rules of ledgers, balances and transactions; contract/core.md section 1.8).
   */
  readonly shownAs?: "error" | "errors";
  /** When trying again may help: seconds to wait before it. */
  readonly retryAfterSeconds?: number;
}

/** A refusal with its code and sentence. */
export function refusal(
  code: LedgerErrorCode,
  message: string,
  details?: LedgerError["details"],
): LedgerError {
  return details === undefined ? { code, message } : { code, message, details };
}
