import { expect, it } from "vitest";

const [page = ""] = Object.values(
  import.meta.glob("../docs/capabilities.md", { query: "?raw", import: "default", eager: true }),
);
const tests = import.meta.glob("./**/*.test.ts", { query: "?raw", import: "default", eager: true });

const rows = [...page.matchAll(/^\| ([WLV]\d+) \|.*\| (\S.*?) \|$/gm)].map(
  ([, line = "", proofs = ""]) => [line, proofs.replaceAll("`", "").split(", ")] as const,
);
const proofs = rows.flatMap(([line, files]) => files.map((file) => [line, file] as const));

it("every line from W1 to W34, L1 to L19 and V1 to V22 has its row", () => {
  const lines = ["W", "L", "V"].flatMap((letter, index) =>
    Array.from({ length: [34, 19, 22][index] ?? 0 }, (_none, number) => `${letter}${number + 1}`),
  );

  expect(rows.map(([line]) => line)).toEqual(lines);
});

it.each(proofs.filter(([, proof]) => proof !== "*not yet*"))("%s is named by %s", (line, proof) => {
  const text = tests[proof.replace("test/", "./")] ?? "";

  expect(text).toMatch(new RegExp(`["\`(,][^"\`\\n]*\\b${line}\\b[^"\`\\n]*["\`]`));
});
