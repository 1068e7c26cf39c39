import { BALANCE, EVENTS, edit, JOURNAL, type Mutant, REFUSALS } from "./mutant.ts";

/** Ways to break what leaves the objects: events, records in D1, the names of other instances. */
export const OUTWARD_MUTANTS: readonly Mutant[] = [
  {
    name: "the event leaves before the credit",
    law: "7 events",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        '    const debited = this.#host.checkpoint("drive:debited");',
        '    const { version } = debit.applied;\n    succeed(row, { sourceVersion: version, destinationVersion: 0 });\n    this.#host.finished(row);\n    const debited = this.#host.checkpoint("drive:debited");',
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
    canary: true,
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
    canary: true,
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
    canary: true,
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
    name: "balances of all instances share their objects' names",
    law: "9 instances",
    canary: true,
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
    name: "a shard whose clock is set back waits until it is what it was",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "elapsedMs(this.#lastRoundMs, Date.now())",
        "(Date.now() - this.#lastRoundMs)",
      ),
    ],
    test: "test/durable/clock.test.ts",
    filter: "takes records to D1 as before",
  },
  {
    name: "lists show the transactions of all instances",
    law: "9 instances",
    canary: true,
    edits: [
      edit("src/storage/transactions.ts", "eq, type SQL", "eq, ne, type SQL"),
      edit(
        "src/storage/transactions.ts",
        "#ofInstance = (): SQL => eq(transactions.instanceId, this.#instance);",
        "#ofInstance = (): SQL => ne(transactions.instanceId, '');",
      ),
    ],
    test: "test/storage/transactions.test.ts",
    filter: "are those of their instance alone",
  },
];
