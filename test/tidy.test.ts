import { describe, expect, it } from "vitest";

const LINES_MAX = 400;

const sources = Object.entries(
  import.meta.glob("../src/**/*.{ts,tsx}", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => ({ path: path.replace("../", ""), text }));

/** What must not be written, and why. */
const FORBIDDEN: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\bTODO\b|\bFIXME\b/, "what is to be done is done, or is an issue"],
  [/@ts-(ignore|expect-error|nocheck)/, "the compiler is right"],
  [/biome-ignore/, "the rules hold everywhere"],
  [/\bas unknown as\b/, "a cast that hides a cast"],
  [/\bMath\.random\(\)(?!\))/, "ids come from crypto; only waits may be random"],
  [/parseFloat|toFixed\(2\)/, "money is no double"],
];

/** Only these may see the bindings. */
const SEES_BINDINGS = /^src\/(compose|index)\.ts$|^src\/durable\/|\.d\.ts$/;

describe("source files", () => {
  it("are there", () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it.each(sources)("$path is short and has a plain name", ({ path, text }) => {
    expect(text.split("\n").length).toBeLessThanOrEqual(LINES_MAX);
    expect(path).toMatch(/^src\/(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.d)?\.tsx?$/);
    expect(path).not.toMatch(/\/(utils|helpers|misc)\.ts$/);
  });

  it.each(sources)("$path has nothing that must not be written", ({ text }) => {
    for (const [pattern, why] of FORBIDDEN) expect(text, why).not.toMatch(pattern);
  });

  it.each(sources.filter(({ path }) => !SEES_BINDINGS.test(path)))(
    "$path does not see the bindings",
    ({ text }) => {
      expect(text).not.toMatch(/\bCloudflare\.Env\b|:\s*Env\b/);
    },
  );

  it.each(sources.filter(({ path }) => path.startsWith("src/domain/")))(
    "$path has no clock and no chance",
    ({ text }) => {
      expect(text).not.toMatch(/Date\.now|new Date\(\)|randomUUID|getRandomValues|Math\.random/);
    },
  );
});

describe("tests", () => {
  const [config = ""] = Object.values(
    import.meta.glob("../vitest.config.ts", { query: "?raw", import: "default", eager: true }),
  );
  const files = Object.keys(
    import.meta.glob("./*/**/*.test.ts", { query: "?raw", import: "default", eager: true }),
  );
  const folders = [...new Set(files.map((path) => path.split("/")[1] ?? ""))];

  it.each(folders)("of %s are run", (folder) => {
    expect(config).toMatch(new RegExp(`test/(\\{[a-z,]*\\b)?${folder}\\b`));
  });
});

/** Every refusal that can be sent is written down for those who get it. */
describe("error codes", () => {
  const [errors] = sources.filter(({ path }) => path === "src/domain/error.ts");
  const codes = [...(errors?.text.matchAll(/^ {2}([A-Z]+_[A-Z_]+): \d{3},$/gm) ?? [])].map(
    ([, code = ""]) => code,
  );
  const elsewhere = sources.filter(({ path }) => path !== "src/domain/error.ts");

  it.each(codes)("%s is used", (code) => {
    expect(elsewhere.some(({ text }) => text.includes(code))).toBe(true);
  });
});
