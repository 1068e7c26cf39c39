import type { Fault } from "../support/faults";
import type { Random } from "./random";

/**
 * Steps in the turn in which another object has answered: there an object dies only after its writes, because the runtime
 * itself does not always survive it otherwise.
 */
export const AFTER_OTHERS: ReadonlySet<string> = new Set([
  "group:claimed",
  "group:claims-settled",
  "batch:step-ended",
  "batch:finished",
]);

/** Where nothing dies at all: the runtime does not survive it. */
export const NEVER: ReadonlySet<string> = new Set(["claim:resolved"]);

/** Where objects die: the steps of the protocol by how often a plan passes them at most, so that a death strikes. */
const DEADLY = [
  { nth: 9, steps: ["request:arrived", "drive:begun", "drive:debited", "drive:credited"] },
  { nth: 9, steps: ["execute:received", "execute:committed", "record:inserted"] },
  { nth: 3, steps: ["flush:projected", "flush:sent", "flush:events-sent", "flush:settled"] },
  { nth: 2, steps: ["drive:refused", "drive:probed", "settle:inserted", "refund:inserted"] },
  { nth: 2, steps: ["group:begun", "group:claimed", "group:claims-settled", "claim:taken"] },
  { nth: 1, steps: ["group:reserved", "group:posted", "split:decided", "group:released"] },
  { nth: 1, steps: ["batch:inserted", "batch:decided", "alarm:begun", "alarm:passed"] },
  { nth: 1, steps: ["batch:step-ended", "batch:finished", "batch:chunk-recorded"] },
  { nth: 1, steps: ["split:refused", "drive:refused-in-doubt", "drive:cancelled"] },
  { nth: 1, steps: ["cancel:begun", "cancel:decided"] },
  { nth: 1, steps: ["balance:noted", "balance:made", "profile:noted", "profile:changed"] },
] as const;

const METHODS = {
  "balance.execute": 8,
  "balance.create": 1,
  "journal.record": 2,
  "journal.settle": 2,
  "journal.refund": 1,
  "journal.recordBatch": 1,
  "journal.recordItems": 1,
  "journal.cancel": 1,
  "journal.claimReferences": 1,
  "journal.settleReferences": 1,
  "journal.resolveGroup": 1,
  "d1.batch": 3,
  "d1.read": 2,
  "apply.sendBatch": 1,
  "webhooks.sendBatch": 2,
  "jobs.send": 1,
} as const;

/** Seldom: it takes seconds. */
const STUCK_PERCENT = 4;

type Method = keyof typeof METHODS;

/** Only what is repeated by its sender may be late: a client's own call that is given up is the client's loss. */
const PATIENT: ReadonlySet<Method> = new Set(["balance.execute", "d1.batch"]);
/** So many calls there are of most methods. */
const OFTEN: ReadonlySet<Method> = new Set(["balance.execute", "journal.record", "d1.read"]);

/** Something that goes wrong in a plan. */
export function trouble(random: Random): Fault {
  if (random.chance(50)) return death(random);
  const method = random.weighted(METHODS);
  const nth = random.between(1, OFTEN.has(method) ? random.pick([2, 6, 12]) : 2);
  if (random.chance(STUCK_PERCENT)) return { kind: "call", method, nth, fate: "stuck" };
  const fates = { lost: 2, "reply-lost": 3, twice: 2, late: 3, slow: 1 } as const;
  const fate = random.weighted(fates);
  const kept = fate === "late" && !PATIENT.has(method) ? "reply-lost" : fate;
  return { kind: "call", method, nth, fate: kept };
}

function death(random: Random): Fault {
  const { nth, steps } = random.pick(DEADLY);
  const step = random.pick<string>(steps);
  const durable = random.chance(50) || AFTER_OTHERS.has(step);
  return { kind: "death", step, nth: random.between(1, nth), durable };
}
