import { edit, JOURNAL, type Mutant, REFUSALS } from "./mutant.ts";

/** Ways to break the life of a transaction: its reference, its saga, its end, what follows from it. */
export const TRANSACTION_MUTANTS: readonly Mutant[] = [
  {
    name: "a shard does not look for a used reference",
    law: "2 once",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/records.ts`,
        "return !this.#live.has(row.posting.transactionId) && this.#store.insertAlone(row);",
        "return this.#store.insertAlone(row);",
      ),
      edit(
        `${JOURNAL}/store.ts`,
        '"ON CONFLICT (transaction_id) DO NOTHING"',
        '"ON CONFLICT (transaction_id) DO UPDATE SET seq = excluded.seq, attempt = excluded.attempt"',
      ),
    ],
    test: "test/durable/record.test.ts",
    filter: "moves money once",
  },
  {
    name: "a hold is settled beyond what remains",
    law: "4 one state",
    canary: true,
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
    canary: true,
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
    name: "a refusal of a refund is kept in a later turn",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/settlements.ts`,
        "      this.#store.transaction(() => this.#store.rememberRefusal(key, error, Date.now()));",
        "      void Promise.resolve().then(() => this.#store.rememberRefusal(key, error, Date.now()));",
      ),
    ],
    test: "test/durable/idempotency.test.ts",
    filter: "while another takes what was left",
  },
  {
    name: "a plan does not wait for a hold that is on its way",
    law: "4 one state",
    edits: [
      edit(
        `${JOURNAL}/object.ts`,
        "await this.#shard.still(question.transactionId);\n    return this.#shard.settlements.planSettle(question);",
        "await this.#shard.standing(question.transactionId);\n    return this.#shard.settlements.planSettle(question);",
      ),
    ],
    test: "test/durable/plans.test.ts",
    filter: "waits while the hold is on its way",
  },
  {
    name: "a preview does not look whether its plan still stands",
    law: "4 one state",
    edits: [
      edit(
        "src/services/transactions/preview-follow-up.ts",
        "    if (!after.value.ok || !isSamePlan(plan.value, after.value.value)) continue;\n",
        "",
      ),
    ],
    test: "test/durable/plans.test.ts",
    filter: "is made anew",
  },
  {
    name: "the credit is sent before the debit",
    law: "3 no overdraft",
    canary: true,
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
    name: "a synchronous refusal is finished in memory only",
    law: "4 one state",
    canary: true,
    edits: [edit(`${JOURNAL}/endings.ts`, "    store.free(row);\n", "")],
    test: REFUSALS,
    filter: "has come: synchronous",
  },
  {
    name: "a refusal of a queued transfer is finished in memory only",
    law: "4 one state",
    edits: [edit(`${JOURNAL}/endings.ts`, "  row.doubt = false;\n  store.save(row);\n", "")],
    test: REFUSALS,
    filter: "has come: queued",
  },
  {
    name: "a refusal counts without `cancel` after an attempt in doubt",
    law: "1 sum of zero",
    edits: [
      edit(
        `${JOURNAL}/driver.ts`,
        'if ("applied" in moved || !(sent.doubt || row.doubt)) return moved;',
        'if ("applied" in moved || !row.doubt) return moved;',
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
        'if ("applied" in moved || !(sent.doubt || row.doubt)) return moved;',
        'if ("applied" in moved || !sent.doubt) return moved;',
      ),
    ],
    test: REFUSALS,
    filter: "has forgotten it in a crash",
  },
  {
    name: "a freed reference uses its operation ids again",
    law: "2 once",
    edits: [
      edit(
        `${JOURNAL}/row.ts`,
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
    canary: true,
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
    name: "a commit credits a unit too many",
    law: "1 sum of zero",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/operations.ts`,
        "    ...changeOf(posting, side),\n",
        '    ...changeOf(posting, side),\n    amount: posting.preciseAmount + (posting.kind === "commit" && side === "destination" ? 1n : 0n),\n',
      ),
    ],
    test: "test/durable/settle.test.ts",
    filter: "is committed in parts",
  },
  {
    name: "what an earlier life left half done is left alone",
    law: "5 all or nothing",
    canary: true,
    edits: [
      edit(
        `${JOURNAL}/recovery.ts`,
        "if (isDrivable(row, nowMs)) await within",
        "if (isDrivable(row, nowMs) && !row.doubt) await within",
      ),
    ],
    test: "test/durable/timers.test.ts",
    filter: "ended by its next life",
  },
  {
    name: "the mark passes rows that are still looked after",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/open-rows.ts`,
        "else mark = Math.min(mark, row.seq);",
        "else mark = Math.max(mark, row.seq);",
      ),
    ],
    test: "test/durable/open-rows.test.ts",
    filter: "finds every row with work left",
  },
  {
    name: "what is saved with work left is not on the list of those that wait",
    law: "6 nothing is lost",
    edits: [edit(`${JOURNAL}/store.ts`, "row.work === 0 ? 0 : 1,", "0,")],
    test: "test/durable/open-rows.test.ts",
    filter: "finds every row with work left",
  },
  {
    name: "the mark moves before an earlier life's rows are looked after",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "if (this.#host.isRecovered()) this.#store.settled(",
        "this.#store.settled(",
      ),
    ],
    test: "test/durable/open-rows.test.ts",
    filter: "what a dead life left is found",
  },
  {
    name: "a shard turns away after it has recorded",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/recorder.ts`,
        "      const row = full === null ? this.#insert(request) : null;\n",
        "      const row = this.#insert(request);\n      if (full !== null) return refuse(full);\n",
      ),
    ],
    test: "test/durable/overload.test.ts",
    filter: "before anything is written",
  },
  {
    name: "what was turned away is refused for ever under its key",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/settlements.ts`,
        "following(request.skipQueue, moved));\n    if (full !== null) return refuse(full);",
        "following(request.skipQueue, moved));\n    if (full !== null) return this.#refuse(request.operation, key, full);",
      ),
    ],
    test: "test/durable/overload.test.ts",
    filter: "a key stays free",
  },
  {
    name: "what was let go is written over what came later",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        `${JOURNAL}/flusher.ts`,
        "sent.filter(({ row }) => this.#records.isLive(row));",
        "sent;",
      ),
    ],
    test: "test/durable/let-go.test.ts",
    filter: "once: what comes later",
  },
  {
    name: "what is merged after a restart leaves its balances behind in D1",
    law: "8 D1 equals the objects",
    edits: [
      edit(
        `${JOURNAL}/shard.ts`,
        "if (row.doubt && row.outcome !== null) {",
        "if (row.dueMs < 0) {",
      ),
    ],
    test: "test/durable/reads.test.ts",
    filter: "leaves no balance behind in D1",
  },
  {
    name: "a void by the timer is taken for what a client has posted under its reference",
    law: "6 nothing is lost",
    edits: [
      edit(
        `${JOURNAL}/children.ts`,
        "  records.find(transactionIdOf(instance, reference)) === null\n      ? key",
        '  reference !== ""\n      ? key',
      ),
    ],
    test: "test/durable/timers.test.ts",
    filter: "is voided once, although",
  },
  {
    name: "what a cancellation intends is not written",
    law: "2 once",
    edits: [
      edit(`${JOURNAL}/driver.ts`, "row.decision = { commit: false, error: cancelled() };", ""),
    ],
    test: "test/durable/timers.test.ts",
    filter: "for that reason alone",
  },
];
