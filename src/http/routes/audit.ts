import { createRoute, z } from "@hono/zod-openapi";
import { FIRST_VERSION } from "../../domain/seal";
import { millisOf } from "../../domain/time";
import { jsonResponse, refusalResponse } from "../../schemas/common";
import { IntegrityBody, toIntegrityBody } from "../../schemas/integrity";
import {
  BalanceProofBody,
  TransactionProofBody,
  toBalanceProofBody,
  toTransactionProofBody,
} from "../../schemas/proof";
import { checkIntegrity } from "../../services/integrity/walk";
import { proveBalance } from "../../services/proofs/balance";
import { proveTransaction } from "../../services/proofs/transaction";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";

const tags = ["Audit"];
const LIMIT_DEFAULT = 100;
const ENTRIES_MAX = 1_000;
const STEP_MAX = 200;

const unknown = refusalResponse("`GEN_OUTCOME_UNKNOWN`: send the same request again.");
const badQuery = refusalResponse("`GEN_VALIDATION_ERROR`: a parameter that cannot be read.");
const limit = (max: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .max(max)
    .default(LIMIT_DEFAULT)
    .openapi({ type: "integer", minimum: 1, maximum: max, default: LIMIT_DEFAULT });

const balanceProof = createRoute({
  method: "get",
  path: "/balances/{id}/proof",
  tags,
  operationId: "proveBalance",
  summary: "Prove a balance",
  description:
    "Entries of the balance, oldest first, with all that their hashes are made of. Each hash is the SHA-256 of the one before it and of its entry, so the newest one stands for all of them. `/docs/verify.js` checks it, in a browser or in Node.",
  request: {
    params: z.object({ id: z.string().openapi({ example: "bln_…" }) }),
    query: z.object({
      after: z.coerce.number().int().min(FIRST_VERSION).default(FIRST_VERSION).openapi({
        type: "integer",
        description: "Entries after this version; a balance begins with version 1 and no entry.",
        default: FIRST_VERSION,
      }),
      limit: limit(ENTRIES_MAX),
    }),
  },
  responses: {
    200: jsonResponse(BalanceProofBody, "The entries, and the balance that they lead to."),
    400: badQuery,
    404: refusalResponse("`BAL_NOT_FOUND`."),
    503: unknown,
  },
});

const transactionProof = createRoute({
  method: "get",
  path: "/transactions/{id}/proof",
  tags,
  operationId: "proveTransaction",
  summary: "Prove a transaction",
  description:
    "The transaction as it was recorded, metadata and parent included, its seal, which is the SHA-256 of that, and the entries of both balances that carry the seal, each with the hash before it and the entry after it.",
  request: { params: z.object({ id: z.string().openapi({ example: "txn_…" }) }) },
  responses: {
    200: jsonResponse(TransactionProofBody, "What shows that it moved what it says."),
    404: refusalResponse("`TXN_NOT_FOUND`."),
    503: unknown,
  },
});

const integrity = createRoute({
  method: "get",
  path: "/integrity",
  tags,
  operationId: "checkIntegrity",
  summary: "Check what is stored",
  description:
    "One step of a walk over everything: transactions against entries, entries against each other, D1 against both, what is overdue, and the sum of each currency. Call it again with `next_cursor` until that is null. It changes nothing.",
  request: {
    query: z.object({
      cursor: z.string().optional(),
      limit: limit(STEP_MAX),
    }),
  },
  responses: {
    200: jsonResponse(IntegrityBody, "What the step looked at and found."),
    400: badQuery,
    503: unknown,
  },
});

/** What is stored, for those who check it. */
export const audit = newRoutes()
  .openapi(
    balanceProof,
    async (c) => {
      const { after, limit: entries } = c.req.valid("query");
      const { id } = c.req.valid("param");
      const proof = unwrap(await proveBalance(c.get("ledger"), { id, after, limit: entries }));
      return c.json(toBalanceProofBody(proof, after), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  )
  .openapi(transactionProof, async (c) => {
    const proof = unwrap(await proveTransaction(c.get("ledger"), c.req.valid("param").id));
    return c.json(toTransactionProofBody(proof), 200);
  })
  .openapi(
    integrity,
    async (c) => {
      const { cursor = null, limit: rows } = c.req.valid("query");
      const ledger = c.get("ledger");
      const step = unwrap(await checkIntegrity(ledger, { cursor, limit: rows }));
      return c.json(toIntegrityBody(step, millisOf(ledger.now())), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  );
