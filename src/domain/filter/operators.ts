/** The operators by their canonical names, in the order in which refusals list them (contract/core.md section 10.2). */
export const OPERATORS = [
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "between",
  "like",
  "ilike",
  "isnull",
  "isnotnull",
] as const;

export type Operator = (typeof OPERATORS)[number];

/** What a transaction's two-sided `balance_id` can be asked. */
export const SIDE_OPERATORS: readonly Operator[] = ["eq", "ne", "in", "isnull", "isnotnull"];

/** Other spellings, in query strings alone. */
const ALIASES: Readonly<Record<string, Operator>> = { neq: "ne", gteq: "gte", lteq: "lte" };

/** Whether a text is an operator's canonical name. */
export const isOperator = (text: string): text is Operator =>
  OPERATORS.some((operator) => operator === text);

/** The operator that the end of a query parameter names, in any case or by an alias; null when it names none. */
export function operatorOfSuffix(suffix: string): Operator | null {
  const name = suffix.toLowerCase();
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  return alias ?? (isOperator(name) ? name : null);
}
