import { createRoute } from "@hono/zod-openapi";
import { transactionList } from "../../domain/filter/resources";
import type { Transaction } from "../../domain/transaction";
import { refusalResponse } from "../../schemas/common";
import { FilterBody, toFilterRequest } from "../../schemas/filter";
import { describeFilters, filterResponse, ListParameters, listResponse } from "../../schemas/list";
import { TransactionBody, toTransactionBody } from "../../schemas/transaction";
import { filterTransactions, listTransactions } from "../../services/transactions/list";
import { newRoutes } from "../app";
import { malformedAs, unwrap } from "../errors";
import { filteredOf, listQueryOf, rowsOf } from "../list-answer";

const tags = ["Transactions"];
const FIELDS = Object.keys(transactionList.fields);

const badFilter = refusalResponse(
  "`GEN_VALIDATION_ERROR` (parameters or body that cannot be read), `GEN_BAD_REQUEST` (unknown field, operator or parameter).",
);

const list = createRoute({
  method: "get",
  path: "/transactions",
  tags,
  operationId: "listTransactions",
  summary: "List transactions",
  description: `Newest first, 20 unless \`limit\` says otherwise (at most 1000). Every transaction is a row of its own: posts, commits, voids, refunds. ${describeFilters(FIELDS)} \`amount\` is in major units; \`balance_id\` fits the source or the destination.`,
  request: { query: ListParameters },
  responses: { 200: listResponse(TransactionBody), 400: badFilter },
});

const filter = createRoute({
  method: "post",
  path: "/transactions/filter",
  tags,
  operationId: "filterTransactions",
  summary: "Filter transactions",
  description: `As the list, with conditions in the body. Fields: ${FIELDS.map((field) => `\`${field}\``).join(", ")}, and \`meta_data.<key>\`.`,
  request: { body: { required: true, content: { "application/json": { schema: FilterBody } } } },
  responses: { 200: filterResponse(TransactionBody), 400: badFilter },
});

const toRow = (transaction: Transaction): TransactionBody => toTransactionBody(transaction, "read");

/** Lists of transactions (contract/transactions.md sections 11.1 and 11.3). */
export const transactionLists = newRoutes()
  .openapi(list, async (c) => {
    const query = listQueryOf(c, transactionList);
    return c.json(rowsOf(c, await listTransactions(c.get("ledger"), query), toRow), 200);
  })
  .openapi(
    filter,
    async (c) => {
      const request = toFilterRequest(c.req.valid("json"));
      const listed = unwrap(await filterTransactions(c.get("ledger"), request));
      return c.json(filteredOf(c, listed, toRow), 200);
    },
    malformedAs("GEN_VALIDATION_ERROR"),
  );
