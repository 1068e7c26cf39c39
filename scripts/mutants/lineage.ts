import { BALANCE, edit, JOURNAL, type Mutant } from "./mutant.ts";

const SCENARIOS = "test/scenarios/lineage.test.ts";
const LAW = "test/laws/lineage.test.ts";
const HISTORIES = "whoever's money it is stays known";

/** Ways to lose track of whose money it is. */
export const LINEAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "what a hold ties up can be spent again",
    law: "fund lineage",
    edits: [edit("src/domain/lineage.ts", "credited - spent - held;", "credited - spent;")],
    test: SCENARIOS,
    filter: "ties it up",
  },
  {
    name: "a balance works out again whose money a repeated change moved",
    law: "fund lineage",
    edits: [
      edit(
        `${BALANCE}/funds.ts`,
        "if (known !== null) return piecesIn(known.pieces);",
        'if (known !== null) this.#sql.exec("DELETE FROM fund_moves WHERE op = ?", change.op);',
      ),
    ],
    test: LAW,
    filter: HISTORIES,
  },
  {
    name: "a row is settled before its shadows are made",
    law: "fund lineage",
    edits: [edit(`${JOURNAL}/endings.ts`, "row.work |= Work.Shadow;", "")],
    test: SCENARIOS,
    filter: "tells whose money came, went and was passed on",
  },
  {
    name: "shadows that fail are not tried again",
    law: "fund lineage",
    edits: [
      edit(
        `${JOURNAL}/recovery.ts`,
        "if (!needs(row, Work.Shadow) || needs(row, Work.Drive)) return;",
        "if (row.dueMs >= 0) return;",
      ),
    ],
    test: "test/durable/shadows.test.ts",
    filter: "by the alarm",
  },
  {
    name: "a hold does not end while its shadows are not made",
    law: "fund lineage",
    edits: [
      edit(
        `${JOURNAL}/recovery.ts`,
        "await step().catch((error: unknown) => troubles.push(error));",
        "if (troubles.length === 0) await step().catch((error: unknown) => troubles.push(error));",
      ),
    ],
    test: "test/durable/shadows.test.ts",
    filter: "keep no hold from its end",
  },
  {
    name: "a void in the shadows does not wait for the commits before it",
    law: "fund lineage",
    edits: [
      edit(`${JOURNAL}/shadows.ts`, 'if (action === "void") await this.#commitsFirst(hold);', ""),
    ],
    test: "test/laws/crash.test.ts",
    filter: "a hold of a provider's money, a commit of a part, and a void, it ends",
  },
  {
    name: "a void takes from the front of a hold, as its commits do",
    law: "fund lineage",
    edits: [
      edit("src/domain/lineage.ts", '"commit" ? amount : left;', '"commit" ? amount : amount;'),
      edit("src/domain/lineage.ts", ": [back, front];", ": [front, back];"),
    ],
    test: "test/domain/lineage.test.ts",
    filter: "is the same in whatever order",
  },
  {
    name: "what comes in within a batch is not known to what goes out after it",
    law: "fund lineage",
    edits: [edit(`${JOURNAL}/tracing.ts`, "await turns[side].after;", "")],
    test: SCENARIOS,
    filter: "a batch in its order",
  },
  {
    name: "a balance hears of the members of a batch in any order",
    law: "fund lineage",
    edits: [
      edit(
        `${JOURNAL}/tracing.ts`,
        "asked.set(destination.balanceId, came.promise);",
        "asked.delete(destination.balanceId);",
      ),
      edit(
        `${JOURNAL}/tracing.ts`,
        "asked.set(source.balanceId, left.promise);",
        "asked.delete(source.balanceId);",
      ),
    ],
    test: SCENARIOS,
    filter: "none spends what a later one brings",
  },
  {
    name: "a batch's money counts although others have spent it before it was known whose it is",
    law: "fund lineage",
    edits: [
      edit(
        `${BALANCE}/funds.ts`,
        'if (available !== undefined && action === "apply") {',
        "if (available === null) {",
      ),
    ],
    test: "test/durable/shadows.test.ts",
    filter: "counts as nobody's",
  },
  {
    name: "what a batch itself spends counts as spent by others",
    law: "fund lineage",
    edits: [
      edit(
        `${BALANCE}/funds.ts`,
        "available + this.#expected() - availableIn(all)",
        "available - availableIn(all)",
      ),
    ],
    test: SCENARIOS,
    filter: "a batch in its order",
  },
  {
    name: "what earlier refunds gave back is told by the clock",
    law: "fund lineage",
    edits: [
      edit(
        `${JOURNAL}/records.ts`,
        "givenBackBy({ posting, seq }: Row)",
        "givenBackBy({ posting, createdAt }: Row)",
      ),
      edit(`${JOURNAL}/records.ts`, "row.seq < seq", "row.createdAt < createdAt"),
    ],
    test: "test/durable/clock.test.ts",
    filter: "whatever the clock says",
  },
];
