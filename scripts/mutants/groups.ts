import { BALANCE, edit, GROUPS, JOURNAL, type Mutant } from "./mutant.ts";

/** Ways to break splits and batches, which move together or not at all. */
export const GROUP_MUTANTS: readonly Mutant[] = [
  {
    name: "the funds check of a batch forgets what another one reserved",
    law: "3 no overdraft",
    edits: [
      edit(
        "src/domain/reservation.ts",
        "const spendable = available(amounts) - reserved;",
        "const spendable = available(amounts);",
      ),
    ],
    test: GROUPS,
    filter: "what two batches reserve",
  },
  {
    name: "a batch spends money that is only held for it",
    law: "3 no overdraft",
    canary: true,
    edits: [
      edit(
        "src/domain/reservation.ts",
        'if (change.action === "apply") drawn += change.amount;',
        "drawn += change.amount;",
      ),
    ],
    test: GROUPS,
    filter: "counts money that comes in it",
  },
  {
    name: "nobody looks at what a group leaves in its balances",
    law: "8 D1 equals the objects",
    edits: [edit(`${JOURNAL}/lanes.ts`, ' || outcome === "posted";', ";")],
    test: "test/laws/groups.test.ts",
    filter: "by a split",
  },
  {
    name: "a group does not claim the references of its members",
    law: "2 once",
    canary: true,
    edits: [edit(`${JOURNAL}/group-saga.ts`, " ?? (await this.#claim(group));", ";")],
    test: GROUPS,
    filter: "takes the references of its legs",
  },
  {
    name: "a release leaves no tombstone",
    law: "5 all or nothing",
    edits: [
      edit(
        `${BALANCE}/ledger.ts`,
        "    this.#store.cancel(op, Date.now());\n    if (held === null)",
        "    if (held === null)",
      ),
    ],
    test: GROUPS,
    filter: "comes after it keeps nothing back",
  },
  {
    name: "the decision of a split is not written",
    law: "5 all or nothing",
    edits: [
      edit(
        `${JOURNAL}/splits.ts`,
        '    this.#store.transaction(() => this.#store.save(parent));\n    await this.#host.checkpoint("split:decided");\n    return decision;',
        '    await this.#host.checkpoint("split:decided");\n    return decision;',
      ),
    ],
    test: GROUPS,
    filter: "of a split: a shard that dies",
  },
  {
    name: "the decision of a batch is not written",
    law: "5 all or nothing",
    edits: [
      edit(
        `${JOURNAL}/batch-run.ts`,
        '    this.#store.transaction(() => this.#batches.save(batch));\n    await this.#host.checkpoint("batch:decided");',
        '    await this.#host.checkpoint("batch:decided");',
      ),
    ],
    test: GROUPS,
    filter: "of a batch: a shard that dies",
  },
  {
    name: "the leftover of a split is lost",
    law: "5 all or nothing",
    canary: true,
    edits: [
      edit(
        "src/domain/distribution.ts",
        "(index === largest ? amount + rest : amount)",
        "(index === largest && rest < 0n ? amount + rest : amount)",
      ),
    ],
    test: "test/laws/splits.test.ts",
    filter: "add up to it exactly",
  },
  {
    name: "a batch that is refused keeps what it reserved",
    law: "5 all or nothing",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/batch-run.ts`,
        "if (!decision.commit && decision.untold !== true) await",
        "if (!decision.commit && decision.untold === undefined && group.members.length === 0) await",
      ),
    ],
    test: GROUPS,
    filter: "is refused keeps nothing back",
  },
  {
    name: "a batch whose job was lost is left alone",
    law: "6 nothing is lost",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/batches.ts`,
        "const idle = left.filter((batchId) => !this.#drives.has(batchId));",
        "const idle = left.filter((batchId) => this.#drives.has(batchId));",
      ),
    ],
    test: GROUPS,
    filter: "when the queue has lost its job",
  },
  {
    name: "a group gives back in all balances but one",
    law: "5 all or nothing",
    edits: [
      edit(
        `${JOURNAL}/group-saga.ts`,
        "await atOnce(CALLS_AT_ONCE, [...balanceIds], (balanceId) =>",
        "await atOnce(CALLS_AT_ONCE, [...balanceIds].slice(1), (balanceId) =>",
      ),
    ],
    test: "test/laws/group-histories.test.ts",
    filter: "batches that want",
  },
  {
    name: "an atomic batch is carried out up to the item that is refused",
    law: "5 all or nothing",
    edits: [
      edit(
        `${JOURNAL}/batch-run.ts`,
        "if (!batch.options.atomic && index > 0) {",
        "if (index > 0) {",
      ),
    ],
    test: "test/laws/group-histories.test.ts",
    filter: "batches that want",
  },
  {
    name: "a synchronous split waits for a batch without end",
    law: "6 nothing is lost",
    edits: [
      edit(`${JOURNAL}/splits.ts`, "posting.skipQueue ? PATIENCE_MS : undefined;", "undefined;"),
    ],
    test: "test/laws/collisions.test.ts",
    filter: "a batch and a split",
  },
  {
    name: "a part of each hold of a batch is committed once more by a repeat",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/settlements.ts`,
        "if (child !== null) return ok({ waiting: [], moves: [] });",
        "",
      ),
    ],
    test: "test/durable/batch-holds.test.ts",
    filter: "sent again under its key",
  },
];
