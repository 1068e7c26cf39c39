import { writeJson } from "../support/api";
import { breaks, type Facts, type Violation } from "./facts";
import type { Send } from "./plan";
import type { Call } from "./play";
import { isNamed, type Told } from "./requests";

/** Laws 2 and 6 of requests that are sent again: all come to an answer, and under one key all get the same. */
export function repeatsOf({ ledger }: Facts): Violation[] {
  const byName = Map.groupBy(ledger.calls, ({ send }) => send.name);
  return [
    ...[...byName.values()].flatMap(wrongRepeats),
    ...ledger.mismatches.flatMap(({ send, told }) => wrongMismatch(send, told)),
  ];
}

function wrongRepeats(calls: readonly Call[]): Violation[] {
  const [first] = calls;
  if (first === undefined) return [];
  const { send } = first;
  const what = `${send.name} (${send.request.kind})`;
  const definite = calls.flatMap(({ told }) => (told.kind === "answer" ? [textOf(told)] : []));
  if (definite.length === 0) return [breaks(6, `${what} never came to an answer`)];
  if (!isNamed(send)) return [];
  const other = definite.find((text) => text !== definite[0]);
  return other === undefined
    ? []
    : [breaks(2, `${what} was answered ${differenceOf(definite[0] ?? "", other)}`)];
}

/** Where a repeat's answer is another one than the first. */
function differenceOf(first: string, repeat: string): string {
  const at = Array.from(first).findIndex((letter, index) => letter !== repeat[index]);
  const near = (text: string) => text.slice(Math.max(0, at - 60), at + 60);
  return `…${near(first)}…, and under its key …${near(repeat)}…`;
}

const textOf = ({ status, body }: Extract<Told, { kind: "answer" }>): string =>
  `${status} ${writeJson(body)}`;

function wrongMismatch(send: Send, told: Told): Violation[] {
  const isRefused = told.kind === "answer" && told.code === "GEN_IDEMPOTENCY_MISMATCH";
  const seen = told.kind === "answer" ? `${told.status} ${told.code}` : told.why;
  return isRefused
    ? []
    : [breaks(2, `another request with the key of ${send.name} was told ${seen}`)];
}
