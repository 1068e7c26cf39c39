import { expect } from "vitest";
import type { Movement, Step, Stories, Story } from "./story.ts";
import { type Answer, type Ask, requestOf, type Shown } from "./wire.ts";

/** What clients were told, for those who check it: all of it is final. */
export class Ledger {
  /** Posts and items that were accepted, by reference. */
  readonly accepted = new Map<string, { readonly movement: Movement; readonly step: Step }>();
  /** References of posts that were refused before the answer. */
  readonly refused = new Set<string>();
  /** Commits, voids and refunds that were accepted. */
  readonly followed: Extract<Step, { kind: "commit" | "void" | "refund" }>[] = [];
  /** Ids of the batches. */
  readonly batches: string[] = [];
  /** What answers got lost of: references, or of batches their items'. */
  readonly unanswered = new Set<string>();
  readonly #ids = new Map<string, string>();
  readonly counts = { sent: 0, answered: 0, lost: 0, lostAndDone: 0, lostAndNotDone: 0 };

  /** The id of what was posted under a reference. */
  idOf = (reference: string): string => {
    const id = this.#ids.get(reference);
    if (id === undefined) throw new Error(`nothing was posted as ${reference}`);
    return id;
  };

  /** What happened, in counts; `rows` are all records at the end. */
  summary(rows: readonly Shown[]) {
    const { sent, answered, lost, lostAndDone, lostAndNotDone } = this.counts;
    const records = Map.groupBy(rows, ({ status }) => status);
    return {
      sent,
      answered,
      unanswered: lost,
      "sent again: had been done": lostAndDone,
      "sent again: had not been done": lostAndNotDone,
      "sent again: unanswered again": lost - lostAndDone - lostAndNotDone,
      batches: new Set(this.batches).size,
      refused: this.refused.size,
      ...Object.fromEntries([...records].map(([status, all]) => [status, all.length])),
    };
  }

  /** The id of a post; it must not have had another before. */
  learn(reference: string, id: string): void {
    expect(this.#ids.get(reference) ?? id, `${reference} has one id`).toBe(id);
    this.#ids.set(reference, id);
  }
}

/** One client: it sends a request when the one before has its answer, and sends again what got none. */
export class Client {
  readonly #ask: Ask;
  readonly #stories: Stories;
  readonly #ledger: Ledger;
  /** What is left of the story under way; its first step was sent before if `wasLost`. */
  #left: Story = [];
  #wasLost = false;
  #last: { readonly id: string; readonly status: string } | null = null;

  constructor(ask: Ask, stories: Stories, ledger: Ledger) {
    this.#ask = ask;
    this.#stories = stories;
    this.#ledger = ledger;
  }

  /** Sends until an answer is lost, which only a kill may do. */
  async run(isKilled: () => boolean): Promise<void> {
    for (let goesOn = await this.#lookBack(); goesOn; goesOn = await this.#step()) {
      if (this.#left.length === 0) this.#left = this.#stories.next();
    }
    expect(isKilled(), "an answer is lost only by a kill").toBe(true);
  }

  /** Brings the story under way to its end. Nothing is killed any more. */
  async finish(): Promise<void> {
    expect(await this.#lookBack(), "it answers").toBe(true);
    while (this.#left.length > 0) expect(await this.#step(), "it answers").toBe(true);
  }

  /** What was answered last before the kill is there, and has not gone back. False when no answer came. */
  async #lookBack(): Promise<boolean> {
    if (this.#last === null) return true;
    const { id, status } = this.#last;
    const answer = await this.#answerTo({ method: "GET", path: `/transactions/${id}` });
    if (answer === null) return false;
    expect(answer.status, `${id} was answered`).toBe(200);
    const shown: Shown = JSON.parse(answer.text);
    const settled = ["APPLIED", "INFLIGHT", "REJECTED", "VOID"];
    expect(status === "QUEUED" ? ["QUEUED", ...settled] : [status]).toContain(shown.status);
    return true;
  }

  /** Sends the first step that is left. False when no answer came. */
  async #step(): Promise<boolean> {
    const [step] = this.#left;
    if (step === undefined) return true;
    const { counts } = this.#ledger;
    counts.sent += 1;
    const answer = await this.#answerTo(requestOf(step, this.#ledger.idOf));
    if (answer === null) {
      counts.lost += 1;
      this.#wasLost = true;
      for (const reference of referencesOf(step)) this.#ledger.unanswered.add(reference);
      return false;
    }
    counts.answered += 1;
    this.#take(step, answer);
    this.#left = this.#left.slice(1);
    this.#wasLost = false;
    return true;
  }

  /** The answer that says yes or no; what is unknown is asked again, and may have been done. Null when none came. */
  async #answerTo(request: Parameters<Ask>[0]): Promise<Answer | null> {
    for (;;) {
      const answer = await this.#ask(request);
      if (answer === null || answer.status !== 503) return answer;
      this.#wasLost = true;
    }
  }

  #take(step: Step, answer: Answer): void {
    const { status, text, replayed } = answer;
    const told = `${JSON.stringify(requestOf(step, this.#ledger.idOf))} answered ${status}: ${text}`;
    const wasDone = replayed || status === 409;
    expect(wasDone && !this.#wasLost, `never sent before: ${told}`).toBe(false);
    if (this.#wasLost) this.#ledger.counts[wasDone ? "lostAndDone" : "lostAndNotDone"] += 1;
    switch (step.kind) {
      case "post":
        this.#takePost(step, answer, told);
        break;
      case "bulk":
        this.#takeBulk(step, answer, told);
        break;
      default:
        expect(status, told).toBe(step.kind === "refund" ? 201 : 200);
        this.#ledger.followed.push(step);
    }
  }

  #takePost(step: Extract<Step, { kind: "post" }>, { status, text }: Answer, told: string): void {
    const { movement, chance, skipQueue, key } = step;
    const { reference } = movement;
    if (skipQueue && chance !== "surely" && status === 400) {
      const { error_detail: detail }: Refused = JSON.parse(text);
      expect(detail.code, told).toBe("TXN_INSUFFICIENT_FUNDS");
      this.#ledger.refused.add(reference);
      return;
    }
    expect(skipQueue && chance === "never", told).toBe(false);
    // Without a key, a repeat is told which transaction has its reference.
    expect(this.#wasLost && key === null ? [201, 409] : [201], told).toContain(status);
    if (status === 409) {
      const { error_detail: detail }: Refused = JSON.parse(text);
      this.#ledger.learn(reference, detail.details.transaction_id);
    } else {
      const shown: Shown = JSON.parse(text);
      this.#ledger.learn(reference, shown.transaction_id);
      this.#last = { id: shown.transaction_id, status: shown.status };
    }
    this.#ledger.accepted.set(reference, { movement, step });
  }

  #takeBulk(step: Extract<Step, { kind: "bulk" }>, { status, text }: Answer, told: string): void {
    expect(status, told).toBe(step.how.run_async ? 202 : 201);
    const { batch_id: id, results }: Bulk = JSON.parse(text);
    this.#ledger.batches.push(id);
    for (const { reference, transaction_id } of results) {
      this.#ledger.learn(reference, transaction_id);
    }
    for (const movement of step.movements) {
      this.#ledger.accepted.set(movement.reference, { movement, step });
    }
  }
}

interface Refused {
  readonly error_detail: { code: string; details: { transaction_id: string } };
}

interface Bulk {
  readonly batch_id: string;
  readonly results: readonly { readonly reference: string; readonly transaction_id: string }[];
}

function referencesOf(step: Step): readonly string[] {
  if (step.kind === "post") return [step.movement.reference];
  return step.kind === "bulk" ? step.movements.map(({ reference }) => reference) : [step.of];
}
