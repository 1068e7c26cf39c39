import { expect, it } from "vitest";
import { statusByCode } from "../../src/domain/error";

const tests = import.meta.glob("./*.test.ts", { query: "?raw", import: "default", eager: true });
const texts = Object.values(tests).join("\n");

it.each(Object.keys(statusByCode))("%s is met over HTTP by a test", (code) => {
  expect(texts).toContain(`"${code}"`);
});
