import { DrizzleQueryError } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { reasonOf, traceOf } from "../../src/domain/thrown";

const failed = new DrizzleQueryError(
  "select * from ledgers where name = ?",
  ["secret\n    at secret", "x".repeat(2_500_000)],
  new Error("D1_ERROR: string or blob too big"),
);

describe("what the log is told of a thrown error", () => {
  it.each([reasonOf, traceOf])(
    "names the statement and the reason, and none of its values",
    (tell) => {
      const told = tell(failed);
      expect(told).toContain("where name = ?");
      expect(told).toContain("string or blob too big");
      expect(told).not.toContain("secret");
      expect(told.length).toBeLessThan(5_000);
    },
  );

  it("says where it was thrown", () => {
    expect(traceOf(new TypeError("no such thing"))).toMatch(/^TypeError: no such thing\n +at /);
    expect(traceOf(failed)).toContain("thrown.test.ts");
  });

  it("is bounded whatever was thrown", () => {
    for (const thrown of ["x".repeat(9_999), new Error("x".repeat(9_999)), null]) {
      expect(traceOf(thrown).length).toBeLessThan(5_000);
    }
    expect(reasonOf("busy")).toBe("busy");
  });
});
