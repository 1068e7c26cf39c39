import { newApp } from "./app";
import { ledger } from "./middleware/ledger";
import { openApiDocument } from "./openapi";
import { docs } from "./routes/docs";
import { meta } from "./routes/meta";
import { transactionLists } from "./routes/transaction-lists";
import { transactions } from "./routes/transactions";

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
api.route("/", transactionLists);
api.route("/", transactions);

/** Made on first request: it is the same for the life of the isolate. */
let document: string | undefined;
