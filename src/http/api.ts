import { newApp } from "./app";
import { ledger } from "./middleware/ledger";
import { openApiDocument } from "./openapi";
import { admin } from "./routes/admin";
import { audit } from "./routes/audit";
import { balances } from "./routes/balances";
import { bulk } from "./routes/bulk";
import { docs } from "./routes/docs";
import { identities } from "./routes/identities";
import { ledgers } from "./routes/ledgers";
import { lineage } from "./routes/lineage";
import { meta } from "./routes/meta";
import { metadata } from "./routes/metadata";
import { settlesMany } from "./routes/settle-many";
import { transactionLists } from "./routes/transaction-lists";
import { transactions } from "./routes/transactions";
import { waitingTransactions } from "./routes/waiting-transactions";

/** The whole HTTP API. */
export const api = newApp();

// What tells about the server works without its ledger.
api.route("/", meta);
api.route("/", docs);
api.get("/openapi.json", (c) => {
  document ??= JSON.stringify(openApiDocument(api));
  return c.body(document, 200, { "Content-Type": "application/json" });
});

api.use(ledger);
api.route("/", admin);
api.route("/", audit);
api.route("/", ledgers);
api.route("/", identities);
api.route("/", balances);
api.route("/", lineage);
api.route("/", transactionLists);
api.route("/", waitingTransactions);
api.route("/", bulk);
api.route("/", settlesMany);
api.route("/", transactions);
api.route("/", metadata);

/** Made on first request: it is the same for the life of the isolate. */
let document: string | undefined;
