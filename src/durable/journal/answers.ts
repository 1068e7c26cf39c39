import { instantOfMicros } from "../../domain/time";
import { elapsedMs } from "../elapsed";
import { OutcomeUnknown, within } from "./deadline";
import type { KeyClaims } from "./key-claims";
import type { AnswerState, KeptAnswer, OperationKey } from "./protocol";

/** Whoever began to answer is given up after this long, in milliseconds: it may be gone. */
const PATIENCE_MS = 30_000;
/** Whoever has not answered after this long, in milliseconds, is gone. */
const GONE_MS = 600_000;
/** A longer answer is not kept: a row has two megabytes at most. */
const LENGTH_MAX = 900_000;

/** Somebody who is at an answer, and when it is over. */
interface Begun extends PromiseWithResolvers<void> {
  readonly caller: string;
  readonly sinceMs: number;
}

/**
 * The answers of requests that clients named: the first one stands, and every repeat gets it. Of requests with one key
 * one is carried out at a time; one that is given up, or was lost with an earlier life of the shard, is carried out again.
 */
export class Answers {
  readonly #claims: KeyClaims;
  readonly #begun = new Map<string, Begun>();

  constructor(claims: KeyClaims) {
    this.#claims = claims;
  }

  /** Begins to answer, or finds the answer; waits for another caller that is at it. */
  async begin({ key, fingerprint }: OperationKey, caller: string): Promise<AnswerState> {
    for (;;) {
      const claim = this.#claims.claim(key, fingerprint, Date.now());
      if (claim.fingerprint !== fingerprint) return { kind: "mismatch" };
      if (claim.answer !== null) return { kind: "answered", answer: claim.answer };
      const other = this.#begun.get(key);
      if (other === undefined || other.caller === caller) {
        this.#forgetGone();
        this.#begun.set(key, { caller, sinceMs: Date.now(), ...Promise.withResolvers<void>() });
        return { kind: "begun", at: instantOfMicros(claim.atMs * 1000), again: claim.again };
      }
      await this.#waitFor(key, other);
    }
  }

  /** Keeps the answer; answers the one that is kept. */
  keep(key: string, answer: KeptAnswer): KeptAnswer {
    const kept = answer.body.length > LENGTH_MAX ? answer : this.#claims.keep(key, answer);
    this.drop(key);
    return kept;
  }

  /** Lets go of a begun answer. */
  drop(key: string): void {
    this.#begun.get(key)?.resolve();
    this.#begun.delete(key);
  }

  /** Those who began first come first: the callers that are gone are given up by whoever begins after them. */
  #forgetGone(): void {
    for (const [key, { sinceMs }] of this.#begun) {
      if (elapsedMs(sinceMs, Date.now()) < GONE_MS) return;
      this.drop(key);
    }
  }

  async #waitFor(key: string, other: Begun): Promise<void> {
    try {
      await within(PATIENCE_MS, other.promise);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      if (this.#begun.get(key) === other) this.drop(key);
    }
  }
}
