import type { Fault } from "../support/faults";
import type { Violation } from "./facts";
import type { Movement, Plan, Request, Step } from "./plan";
import type { Call } from "./play";

/** A plan and what came of it, for people. */
export function storyOf(
  plan: Plan,
  calls: readonly Call[],
  violations: readonly Violation[],
): string {
  const answers = (name: string): string =>
    calls
      .filter(({ send }) => send.name === name)
      .map(({ told }) =>
        told.kind === "unknown" ? "unknown" : `${told.status} ${told.code}`.trim(),
      )
      .join(", ");
  const steps = plan.steps.map((step, index) => {
    const told = step.do === "send" ? ` -> ${answers(step.name)}` : "";
    return `  ${index + 1}. ${stepText(step)}${told}`;
  });
  return [
    `seed ${plan.seed}, ${plan.shards} shards`,
    ...(plan.faults.length === 0 ? ["nothing fails"] : ["what fails:"]),
    ...plan.faults.map((fault) => `  - ${faultText(fault)}`),
    "what happens:",
    ...steps,
    "which laws break:",
    ...violations.map(({ law, words }) => `  - law ${law}: ${words}`),
  ].join("\n");
}

function stepText(step: Step): string {
  switch (step.do) {
    case "send": {
      const { name, neighbour, times, isLost, keyed, request } = step;
      const extras = [
        ...(neighbour ? ["in the neighbouring instance"] : []),
        ...(times > 1 ? [`${times} times at once`] : []),
        ...(isLost ? ["its first answer is lost"] : []),
        ...(keyed ? ["with a key"] : []),
      ];
      return [`${name}: ${requestText(request)}`, ...extras].join(", ");
    }
    case "wait":
      return "all of that is answered";
    case "advance":
      return step.ms < 0
        ? `the clock is set back by ${-step.ms / 1_000} s`
        : `${step.ms / 1_000} s go by`;
    case "ring":
      return step.twice ? "alarms ring, and once more" : "alarms ring";
    case "touch":
      return "every shard is touched";
    case "deliver":
      return `the queue delivers ${step.how}, in another order`;
    case "abort":
      return `after ${step.after} steps every object dies, last writes ${step.durable ? "kept" : "lost"}`;
    case "evict":
      return "every balance is evicted";
    case "deploy":
      return `a deploy begins: every object dies after up to ${step.after} steps of its own, and from here on versions meet`;
  }
}

function requestText(request: Request): string {
  switch (request.kind) {
    case "post":
      return `${movementText(request)}${howText(request)}${
        request.due === null
          ? ""
          : `, to ${request.due.what} after ${request.due.afterMs / 1_000} s`
      }`;
    case "split": {
      const [from, to] =
        request.side === "sources" ? [request.many, [request.one]] : [[request.one], request.many];
      return `split ${request.reference} of ${request.amount} from ${from.join(" and ")} to ${to.join(" and ")}${howText(request)}`;
    }
    case "bulk":
      return `${request.atomic ? "atomic " : ""}batch${request.runAsync ? " in the background" : ""} (${request.items.map(movementText).join("; ")})${howText(request)}`;
    case "commit":
    case "void":
    case "refund":
      return `${request.kind} ${request.amount ?? "all"} of ${request.reference}${howText(request)}`;
    case "commit-many":
    case "void-many":
      return `${request.kind} ${request.references.join(", ")}${howText(request)}`;
    case "commit-batch":
    case "void-batch":
      return `${request.kind} of ${request.batch}${howText(request)}`;
    case "preview":
      return `what would happen: ${requestText(request.of)}`;
    case "cancel":
    case "look":
    case "look up":
      return `${request.kind} ${request.reference}`;
    case "weigh":
      return `read the balance of ${request.account}`;
    case "list":
      return `list the ${request.what}`;
    case "recover":
      return "recover";
  }
}

const movementText = ({ reference, from, to, amount, limit, currency }: Movement): string =>
  `${reference}: ${amount} ${currency} from ${from} to ${to}${limit > 0n ? `, which may owe ${limit}` : ""}`;

const howText = (how: { readonly inflight?: boolean; readonly skipQueue: boolean }): string =>
  `${how.inflight === true ? ", held" : ""}${how.skipQueue ? "" : ", queued"}`;

const faultText = (fault: Fault): string =>
  fault.kind === "death"
    ? `an object dies at ${fault.step}, passage ${fault.nth}, last writes ${fault.durable ? "kept" : "lost"}`
    : `call ${fault.nth} of ${fault.method} is ${fault.fate}`;
