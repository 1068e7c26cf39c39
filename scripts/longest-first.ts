import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take half a minute and more, the longest first. */
const LONGEST = [
  "laws/crash",
  "laws/group-histories",
  "laws/histories",
  "server/killed-often",
  "server/start",
  "golden/replay",
  "laws/rebuild",
  "audit/integrity",
  "laws/settlement-races",
  "server/bulk",
  "server/kill",
].map((name) => `/test/${name}.test.ts`);

/** The longest files begin first, so that no core waits for one of them in the end. The rest as vitest has it. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    const longest = LONGEST.flatMap((name) =>
      others.filter(({ moduleId }) => moduleId.endsWith(name)),
    );
    return [...new Set([...longest, ...others])];
  }
}
