import { describe, expect, it } from "vitest";
import { statusByCode } from "../../src/domain/error";
import { api } from "../../src/http/api";
import { openApiDocument } from "../../src/http/openapi";
import { BulkRefusedBody } from "../../src/schemas/bulk";
import { ErrorBody } from "../../src/schemas/common";
import { get, post, writeJson } from "../support/api";

const document = openApiDocument(api);
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
  })),
);

describe("W34: the document", () => {
  it("is OpenAPI 3.1, served as JSON", async () => {
    const answer = await get("/openapi.json");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.body).toMatchObject({ openapi: "3.1.0", info: { title: "Purser" } });
    expect(writeJson(answer.body)).not.toContain("rawJSON");
  });

  it("gives every operation a name of its own", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(names).not.toContain(undefined);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(operations)("$name says what it promises and how it refuses", ({ operation }) => {
    expect(operation.summary).toBeTruthy();
    expect(operation.tags).toHaveLength(1);
    for (const [status, response] of Object.entries<{ description?: string }>(
      operation.responses,
    )) {
      expect(response.description).toBeTruthy();
      const codes = response.description?.match(/`[A-Z]{3,}_[A-Z_]+`/g) ?? [];
      if (Number(status) >= 400 && operation.security === undefined) {
        expect(codes.length).toBeGreaterThan(0);
      }
      for (const code of codes) {
        expect(Object.entries(statusByCode)).toContainEqual([
          code.replaceAll("`", ""),
          Number(status),
        ]);
      }
    }
  });

  it.each([
    ["that is empty", []],
    ["with an item of the wrong shape", [{ precise_amount: "1" }]],
    ["with an item that breaks a rule", [{}]],
  ])("describes the 400 of a batch %s, which has no id", async (_what, transactions) => {
    const { body } = await post("/transactions/bulk", { transactions });
    expect(BulkRefusedBody.safeParse(body).success).toBe(false);
    expect(ErrorBody.safeParse(body).success).toBe(true);
    expect(document.paths?.["/transactions/bulk"]?.post?.responses?.[400]).toMatchObject({
      content: {
        "application/json": {
          schema: {
            anyOf: [
              { $ref: "#/components/schemas/BulkRefused" },
              { $ref: "#/components/schemas/Error" },
            ],
          },
        },
      },
    });
  });

  it("shows amounts as integers and not as the objects that carry their digits", () => {
    const { TransactionRequest, Transaction } = document.components?.schemas ?? {};
    expect(TransactionRequest).toMatchObject({
      properties: {
        precise_amount: { type: "integer" },
        amount: { type: "number" },
        meta_data: { type: "object" },
      },
    });
    expect(Transaction).toMatchObject({ properties: { precise_amount: { type: "integer" } } });
  });
});
