import { describe, expect, it } from "vitest";

const [page = ""] = Object.values(
  import.meta.glob("../docs/compatibility.md", { query: "?raw", import: "default", eager: true }),
);
const files = {
  ...import.meta.glob("./**/*.test.ts", { query: "?raw", import: "default", eager: true }),
  ...import.meta.glob("./golden/transcripts/*.json", {
    query: "?raw",
    import: "default",
    eager: true,
  }),
};

/** Each test that the page names: its file, and words of its name; a scenario of the recordings by its file. */
const named = page.split("\n").flatMap((line) => {
  const proofs: [file: string, words: string][] = [];
  let file = "";
  for (const [, path = "", scenario, words] of line.matchAll(
    /`(test\/[^`]+\.test\.ts)`|scenario `([^`]+)`|"([^"]+)"/g,
  )) {
    if (path !== "") file = path;
    if (scenario !== undefined) proofs.push([`test/golden/transcripts/${scenario}.json`, ""]);
    else if (file !== "") proofs.push([file, words ?? ""]);
  }
  return proofs;
});

describe("what the page about compatibility says is shown by a test", () => {
  it.each(named)("%s: %s", (file, words) => {
    const text = files[file.replace("test/", "./")];

    expect(text, file).toBeTypeOf("string");
    expect(text).toContain(words);
  });

  it("each defect, unless what it is about is not there yet", () => {
    const [, defects = ""] = page.split("## Defects of Blnk");
    const rows = defects.split("\n").filter((line) => /^\| (?!---|In Blnk)/.test(line));

    expect(rows).toHaveLength(53);
    expect(rows.filter((row) => !/`test\/|\*not yet\* \|$/.test(row))).toEqual([]);
  });
});
