import { BALANCE, edit, GROUPS, JOURNAL, type Mutant, REFUSALS } from "./mutant.ts";

/** Ways to break what one balance decides: repeats, funds, what is kept back. */
export const BALANCE_MUTANTS: readonly Mutant[] = [
  {
    name: "a balance does not look for a repeated operation",
    law: "2 once",
    canary: true,
    edits: [
      edit(
        `${BALANCE}/ledger.ts`,
        "= operation;\n    const entry = this.#store.entryOf(op);",
        "= operation;\n    const entry = null;",
      ),
      edit(`${BALANCE}/store.ts`, "op TEXT NOT NULL UNIQUE,", "op TEXT NOT NULL,"),
    ],
    test: "test/durable/balance.test.ts",
    filter: "answer a repeat",
  },
  {
    name: "the funds check forgets what is held",
    law: "3 no overdraft",
    canary: true,
    edits: [
      edit(
        "src/domain/balance.ts",
        "settled(amounts) - amounts.inflightDebit;",
        "settled(amounts);",
      ),
    ],
    test: "test/durable/settle.test.ts",
    filter: "keeps money from everybody else",
  },
  {
    name: "the funds check of a transfer forgets what is reserved",
    law: "3 no overdraft",
    edits: [
      edit(
        `${BALANCE}/ledger.ts`,
        "applyChange(balance?.snapshot ?? NO_AMOUNTS, operation, reserved)",
        "applyChange(balance?.snapshot ?? NO_AMOUNTS, operation)",
      ),
    ],
    test: GROUPS,
    filter: "is nobody else's",
  },
  {
    name: "reservations are forgotten in a restart",
    law: "3 no overdraft",
    edits: [edit(`${BALANCE}/object.ts`, "reserved: this.#store.reserved()", "reserved: 0n")],
    test: "test/durable/balance.test.ts",
    filter: "keeps money from everybody else",
  },
  {
    name: "a cancelled operation leaves no tombstone",
    law: "1 sum of zero",
    edits: [
      edit(
        `${BALANCE}/ledger.ts`,
        '      this.#store.cancel(op, Date.now());\n      return { outcome: "cancelled" };',
        '      return { outcome: "cancelled" };',
      ),
    ],
    test: REFUSALS,
    filter: "can move nothing any more",
  },
  {
    name: "a commit leaves what its receiver waits for",
    law: "1 sum of zero",
    canary: true,
    edits: [
      edit(
        "src/domain/balance.ts",
        "inflightCredit: before.inflightCredit - amount,\n        credit:",
        "credit:",
      ),
    ],
    test: "test/durable/settle.test.ts",
    filter: "is committed in full",
  },
  {
    name: "a balance turns away callers that are older than seals",
    law: "5 all or nothing",
    edits: [
      edit(
        `${BALANCE}/store.ts`,
        'const { seal = "" } = operation;',
        'const { seal = "" } = operation;\n    if (seal === "") throw new TypeError("an operation without a seal");',
      ),
    ],
    test: "test/laws/deploys.test.ts",
    filter: "older versions send",
  },
  {
    name: "a change of a profile that comes late is made over later ones",
    law: "2 once",
    edits: [
      edit(
        `${BALANCE}/object.ts`,
        "if (turn !== undefined && turn <= (kv.get<number>(TURN) ?? 0)) return before.snapshot;",
        "",
      ),
    ],
    test: "test/durable/balance-book.test.ts",
    filter: "that comes late takes nothing back",
  },
  {
    name: "a barrier is passed before the last of many balances is in D1",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "if (isMore) this.#readAgain(balancesAt);",
        "if (isMore) this.markBalances();",
      ),
    ],
    test: "test/durable/balance-book.test.ts",
    filter: "more than fit into a round",
  },
];
