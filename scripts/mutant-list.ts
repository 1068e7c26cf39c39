/** One replacement in one file: `find` must occur there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A way to break a law in the source, and the test that must notice. */
export interface Mutant {
  readonly name: string;
  readonly law: string;
  readonly edits: readonly Edit[];
  /** A test file, and the part of its tests' names that is run. */
  readonly test: string;
  readonly filter: string;
}

const JOURNAL = "src/durable/journal";
const BALANCE = "src/durable/balance";
const REFUSALS = "test/durable/mutants-refusals.test.ts";
const EVENTS = "test/durable/mutants-events.test.ts";
const GROUPS = "test/durable/mutants-groups.test.ts";

const edit = (file: string, find: string, replace: string): Edit => ({ file, find, replace });

/** The laws are those that docs/testing.md lists. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "a balance does not look for a repeated operation",
    law: "2 once",
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
    name: "a shard does not look for a used reference",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/recorder.ts`,
        "      const found = this.#records.find(posting.transactionId);",
        "      const found = null;",
      ),
    ],
    test: "test/durable/record.test.ts",
    filter: "moves money once",
  },
  {
    name: "a hold is settled beyond what remains",
    law: "4 one state",
    edits: [
      edit(
        "src/domain/settlement.ts",
        '  if (amount > remaining) return err(exceeded(hold, "remains", remaining, amount));\n',
        "",
      ),
    ],
    test: "test/durable/settle.test.ts",
    filter: "is never settled beyond",
  },
  {
    name: "a refund forgets the refunds before it",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/settlements.ts`,
        "(left, { posting }) => left - posting.preciseAmount,\n      preciseAmount,",
        "(left) => left,\n      preciseAmount,",
      ),
    ],
    test: "test/durable/refund.test.ts",
    filter: "of parts gives back no more",
  },
  {
    name: "the credit is sent before the debit",
    law: "3 no overdraft",
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        "    const debit = await this.#debit(row);",
        '    await this.#send(row, "destination");\n    const debit = await this.#debit(row);',
      ),
    ],
    test: REFUSALS,
    filter: "leaves the receiver without",
  },
  {
    name: "the funds check forgets what is held",
    law: "3 no overdraft",
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
    name: "reservations are forgotten in a restart",
    law: "3 no overdraft",
    edits: [edit(`${BALANCE}/object.ts`, "reserved: this.#store.reserved()", "reserved: 0n")],
    test: "test/durable/balance.test.ts",
    filter: "keeps money from everybody else",
  },
  {
    name: "a batch spends money that is only held for it",
    law: "3 no overdraft",
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
    name: "a synchronous refusal is finished in memory only",
    law: "4 one state",
    edits: [edit(`${JOURNAL}/endings.ts`, "    store.free(row);\n", "")],
    test: REFUSALS,
    filter: "has come: synchronous",
  },
  {
    name: "a refusal of a queued transfer is finished in memory only",
    law: "4 one state",
    edits: [edit(`${JOURNAL}/endings.ts`, "  store.save(row);\n", "")],
    test: REFUSALS,
    filter: "has come: queued",
  },
  {
    name: "a refusal counts without `cancel` after an attempt in doubt",
    law: "1 sum of zero",
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        'if ("applied" in sent || !(sent.doubt || row.doubt)) return sent;',
        'if ("applied" in sent || !row.doubt) return sent;',
      ),
    ],
    test: REFUSALS,
    filter: "can move nothing any more",
  },
  {
    name: "a refusal counts without `cancel` after a restart",
    law: "1 sum of zero",
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        'if ("applied" in sent || !(sent.doubt || row.doubt)) return sent;',
        'if ("applied" in sent || !sent.doubt) return sent;',
      ),
    ],
    test: REFUSALS,
    filter: "has forgotten it in a crash",
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
    name: "a freed reference uses its operation ids again",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/shard.ts`,
        "attempt: crypto.randomUUID().slice(0, 8),",
        'attempt: "the same",',
      ),
    ],
    test: REFUSALS,
    filter: "frees the reference",
  },
  {
    name: "a QUEUED row is settled when it is sent",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "if (row.revision === sent.revision) row.work &= ~Work.Project;",
        'if (row.revision === sent.revision) row.work &= sent.status === "QUEUED" ? 0 : ~Work.Project;',
      ),
    ],
    test: "test/durable/timers.test.ts",
    filter: "what the queue lost",
  },
  {
    name: "after a restart a row is shown as it stands on disk",
    law: "4 one state",
    edits: [
      edit(
        `${JOURNAL}/row.ts`,
        "isDrivable(row, nowMs) && (isHidden(row) || row.doubt);",
        "isDrivable(row, nowMs) && isHidden(row);",
      ),
    ],
    test: "test/durable/reads.test.ts",
    filter: "never goes back after a restart",
  },
  {
    name: "the event leaves before the credit",
    law: "7 events",
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        '    await this.#host.checkpoint("drive:debited");',
        '    const { version } = debit.applied;\n    succeed(row, { sourceVersion: version, destinationVersion: 0 });\n    this.#host.finished(row);\n    await this.#host.checkpoint("drive:debited");',
      ),
    ],
    test: EVENTS,
    filter: "leaves when both balances",
  },
  {
    name: "the event leaves before D1 has the state",
    law: "7 events",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "    if (transactions.length > 0 || balances.length > 0) {",
        "    await this.#sendEvents(rows, []);\n    if (transactions.length > 0 || balances.length > 0) {",
      ),
    ],
    test: EVENTS,
    filter: "leaves when D1",
  },
  {
    name: "a row is settled before its event is sent",
    law: "7 events",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "    await this.#sendEvents(rows, created);",
        "    this.#settle(rows, made);\n    await this.#sendEvents(rows, created);",
      ),
    ],
    test: EVENTS,
    filter: "the first sending was lost",
  },
  {
    name: "an event has another id each time",
    law: "7 events",
    edits: [
      edit(
        "src/schemas/event.ts",
        "sha256Hex(JSON.stringify([event, ...cause]))",
        "sha256Hex(crypto.randomUUID())",
      ),
    ],
    test: EVENTS,
    filter: "has the same id",
  },
  {
    name: "an old D1 batch overwrites a newer transaction",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        "src/storage/projection.ts",
        "\n  WHERE excluded.revision > transactions.revision`;",
        "`;",
      ),
    ],
    test: "test/storage/projection.test.ts",
    filter: "never lets an older batch",
  },
  {
    name: "an old D1 batch overwrites newer amounts",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        "src/storage/projection.ts",
        '...AMOUNT_COLUMNS.map(ifNewer("version")),',
        '...AMOUNT_COLUMNS.map((column) => column + " = excluded." + column),',
      ),
      edit(
        "src/storage/projection.ts",
        "\n  WHERE excluded.version > balances.version OR excluded.profile_version > balances.profile_version`;",
        "`;",
      ),
    ],
    test: "test/storage/projection.test.ts",
    filter: "each by its own version",
  },
  {
    name: "nobody looks at what a group leaves in its balances",
    law: "8 D1 equals the objects",
    edits: [edit(`${JOURNAL}/lanes.ts`, ' || outcome === "posted";', ";")],
    test: "test/laws/groups.test.ts",
    filter: "by a split",
  },
  {
    name: "balances of all instances share their objects' names",
    law: "9 instances",
    edits: [
      edit(
        `${BALANCE}/client.ts`,
        "=> balances.getByName(",
        '=> ((name: string) => balances.getByName(name.replace(/^[^/]*/, "")))(',
      ),
    ],
    test: REFUSALS,
    filter: "no balance of another instance",
  },
  {
    name: "a group does not claim the references of its members",
    law: "2 once",
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
];

/** Those that the simulation must notice: `npm run simulate -- --canary`. */
export const CANARY: ReadonlySet<string> = new Set([
  "a balance does not look for a repeated operation",
  "a shard does not look for a used reference",
  "a hold is settled beyond what remains",
  "a refund forgets the refunds before it",
  "the credit is sent before the debit",
  "the funds check forgets what is held",
  "a batch spends money that is only held for it",
  "a synchronous refusal is finished in memory only",
  "a QUEUED row is settled when it is sent",
  "the event leaves before the credit",
  "a row is settled before its event is sent",
  "an event has another id each time",
  "an old D1 batch overwrites newer amounts",
  "balances of all instances share their objects' names",
  "a group does not claim the references of its members",
]);
