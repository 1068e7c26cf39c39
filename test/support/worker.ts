/** The Worker that tests run: the product's own, its objects mortal at every checkpoint and every call to them losable. */
import "./prototypes";
import type { ExecuteAnswer, ExecuteRequest } from "../../src/durable/balance/protocol";
import {
  BalanceObject as ProductBalanceObject,
  JournalObject as ProductJournalObject,
} from "../../src/index";
import { atCheckpoint, shapeOf, underFate, type Victim } from "./faults";
import { remember } from "./outgoing";
import { shaped } from "./shapes";

export { default } from "../../src/index";

const victimOf = (ctx: DurableObjectState): Victim => ({
  name: ctx.id.name ?? "",
  abort: (reason) => ctx.abort(reason),
  sync: () => ctx.storage.sync(),
});

export class BalanceObject extends ProductBalanceObject {
  protected override checkpoint(step: string): void | Promise<void> {
    return atCheckpoint(step, victimOf(this.ctx));
  }

  override execute(request: ExecuteRequest): Promise<ExecuteAnswer> {
    const call = { method: "balance.execute", name: this.ctx.id.name ?? "" };
    const shape = shapeOf(call);
    return underFate(
      call,
      async () => shaped(shape, await super.execute(shaped(shape, request))),
      (work) => this.ctx.waitUntil(work),
    );
  }
}

export class JournalObject extends ProductJournalObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, faulty(env, ctx));
  }

  protected override checkpoint(step: string): void | Promise<void> {
    return atCheckpoint(step, victimOf(this.ctx));
  }

  override record(...[request]: Parameters<ProductJournalObject["record"]>) {
    return this.#underFate("journal.record", request, (sent) => super.record(sent));
  }

  override settle(...[request]: Parameters<ProductJournalObject["settle"]>) {
    return this.#underFate("journal.settle", request, (sent) => super.settle(sent));
  }

  override refund(...[request]: Parameters<ProductJournalObject["refund"]>) {
    return this.#underFate("journal.refund", request, (sent) => super.refund(sent));
  }

  override recordBatch(...[request]: Parameters<ProductJournalObject["recordBatch"]>) {
    return this.#underFate("journal.recordBatch", request, (sent) => super.recordBatch(sent));
  }

  override cancel(...[request]: Parameters<ProductJournalObject["cancel"]>) {
    return this.#underFate("journal.cancel", request, (sent) => super.cancel(sent));
  }

  override claimReferences(...[request]: Parameters<ProductJournalObject["claimReferences"]>) {
    return this.#underFate("journal.claimReferences", request, (sent) =>
      super.claimReferences(sent),
    );
  }

  override settleReferences(...[settlement]: Parameters<ProductJournalObject["settleReferences"]>) {
    return this.#underFate("journal.settleReferences", settlement, async (sent) =>
      super.settleReferences(sent),
    );
  }

  override recordItems(...[request]: Parameters<ProductJournalObject["recordItems"]>) {
    return this.#shaped("journal.recordItems", request, (sent) => super.recordItems(sent));
  }

  override resolveGroup(...[asked]: Parameters<ProductJournalObject["resolveGroup"]>) {
    return this.#underFate("journal.resolveGroup", asked, (sent) => super.resolveGroup(sent));
  }

  #underFate<T, R>(method: string, request: R, work: (sent: R) => Promise<T>): Promise<T> {
    return underFate(
      { method, name: this.ctx.id.name ?? "" },
      () => this.#shaped(method, request, work),
      (later) => this.ctx.waitUntil(later),
    );
  }

  async #shaped<T, R>(method: string, request: R, work: (sent: R) => Promise<T>): Promise<T> {
    const shape = shapeOf({ method, name: this.ctx.id.name ?? "" });
    return shaped(shape, await work(shaped(shape, request)));
  }
}

/** The bindings with ways to D1 and the queues on which things get lost, and events that are remembered as they leave. */
function faulty(env: Env, ctx: DurableObjectState): Env {
  const name = ctx.id.name ?? "";
  const later = (work: Promise<unknown>) => ctx.waitUntil(work);
  const way = { name, later, written: () => ctx.storage.sync() };
  return {
    ...env,
    BALANCES: faultyBalances(env.BALANCES, later),
    DB: faultyD1(env.DB, way),
    APPLY: faultyQueue(env.APPLY, "apply.sendBatch", way),
    WEBHOOKS: faultyQueue(env.WEBHOOKS, "webhooks.sendBatch", way),
    JOBS: faultyJobs(env.JOBS, way),
  };
}

const NOTHING_SENT: QueueSendBatchResponse = {
  metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
};

interface Way {
  readonly name: string;
  later(work: Promise<unknown>): void;
  /** What the object has written is durable. A message leaves only then, as the runtime's output gate has it. */
  written(): Promise<void>;
}

/** Methods of balances that get lost on the way from their shard; `execute` does so where it arrives. */
const LOSABLE: ReadonlySet<string | symbol> = new Set(["create", "updateProfile"]);

function faultyBalances(balances: Env["BALANCES"], later: Way["later"]): Env["BALANCES"] {
  return new Proxy(balances, {
    get(target, property) {
      if (property !== "getByName") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (name: string) =>
        new Proxy(target.getByName(name), {
          get(stub, method) {
            const value: unknown = Reflect.get(stub, method);
            if (typeof value !== "function" || !LOSABLE.has(method)) return value;
            return (...values: unknown[]) =>
              underFate(
                { method: `balance.${String(method)}`, name },
                async () => await Reflect.apply(value, stub, values),
                later,
              );
          },
        });
    },
  });
}

function faultyD1(db: D1Database, { name, later }: Way): D1Database {
  return new Proxy(db, {
    get(target, property) {
      if (property !== "batch") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      }
      const batch: D1Database["batch"] = (statements) =>
        underFate({ method: "d1.batch", name }, () => target.batch(statements), later);
      return batch;
    },
  });
}

function faultyQueue<Body>(
  queue: Queue<Body>,
  method: string,
  { name, later, written }: Way,
): Queue<Body> {
  return new Proxy(queue, {
    get(target, property) {
      if (property !== "sendBatch") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      }
      const sendBatch: Queue<Body>["sendBatch"] = async (messages) => {
        await written();
        const sent = [...messages];
        const bodies = sent.map(({ body }) => body);
        const send = () => {
          remember(name, method, bodies);
          return target.sendBatch(sent);
        };
        const swallow = () => {
          remember(name, method, bodies);
          return NOTHING_SENT;
        };
        return underFate({ method, name }, send, later, swallow);
      };
      return sendBatch;
    },
  });
}

/** Jobs are sent one by one. */
function faultyJobs<Body>(queue: Queue<Body>, { name, later, written }: Way): Queue<Body> {
  return new Proxy(queue, {
    get(target, property) {
      if (property !== "send") {
        const value: unknown = Reflect.get(target, property);
        return typeof value === "function" ? value.bind(target) : value;
      }
      const method = "jobs.send";
      const send: Queue<Body>["send"] = async (body) => {
        await written();
        return underFate(
          { method, name },
          () => target.send(body),
          later,
          () => {
            remember(name, method, [body]);
            return NOTHING_SENT;
          },
        );
      };
      return send;
    },
  });
}
