import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./env";

const DESCRIPTION = `A wallet ledger that speaks the API of Blnk Core.

**Money.** Amounts in minor units are JSON integers of any length: read them with a parser that keeps every digit. The sum of
all balances of a currency is zero.

**Errors.** Every refusal has \`error_detail.code\`, which together with the HTTP status is stable; sentences are for people. A 5xx
means that the outcome is *unknown*: send the same request again, with the same \`reference\` or \`Idempotency-Key\`.

**Lists** show the caller's own writes. \`consistency=eventual\` answers from the records as they are; if they are behind,
the answer carries \`X-Purser-Behind: true\`.`;

/** The OpenAPI 3.1 document of an app, from the definitions of its routes. */
export function openApiDocument(app: OpenAPIHono<AppEnv>) {
  app.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "apiKey",
    in: "header",
    name: "X-Blnk-Key",
    description: "The master key.",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Purser", version: "0.1.0", description: DESCRIPTION },
    security: [{ key: [] }],
  });
}
