import { type LedgerError, refusal } from "../error";
import { unreachable } from "../invariant";
import { err, ok, type Result } from "../result";
import type { Condition, MetaDataTest, Test } from "./condition";
import type { FieldKind } from "./fields";
import { parseMoment } from "./moment";
import {
  amountOf,
  decimalOf,
  instantOf,
  metaTextOf,
  type Operand,
  scalarOf,
  textOf,
} from "./operand";
import { isOperator, OPERATORS, type Operator, SIDE_OPERATORS } from "./operators";
import { parsePattern } from "./pattern";
import type { ListedResource } from "./resources";

/** A condition as a client wrote it, in either form of a filter. */
export interface Asked {
  readonly field: string;
  readonly operator: string;
  /** The value, or all of them for `in` and `between`. */
  readonly operands: readonly Operand[];
}

type Read = (operand: Operand) => string | null;

/** A statement takes a hundred parameters, of which a list needs some itself. */
const PARAMETERS_MAX = 80;

/** All values together, in bytes of JSON: a parameter of a statement may have 2 MB, and a list reads each of them. */
const VALUES_BYTES_MAX = 256 * 1024;

/** The same when numbers are written out: `1e999` has a thousand digits. */
const COMPARED_BYTES_MAX = 1024 * 1024;

/** Keys of metadata stand in the statement itself, up to eighteen times each, which may have 100 KB. */
const KEYS_MAX = 1_000;

/** All conditions of a filter, or what is wrong with the first that is wrong (contract/core.md section 10.4). */
export function checkConditions(
  resource: ListedResource,
  all: readonly Asked[],
): Result<readonly Condition[]> {
  if (bytesOf(all.map(({ operands }) => operands.map(metaTextOf))) > VALUES_BYTES_MAX) {
    return tooLarge(`the values are longer than ${VALUES_BYTES_MAX} bytes together`);
  }
  const conditions: Condition[] = [];
  for (const asked of all) {
    const condition = checkCondition(resource, asked);
    if (!condition.ok) return condition;
    conditions.push(condition.value);
  }
  const parameters = conditions.reduce((sum, each) => sum + parametersOf(each), 0);
  if (parameters > PARAMETERS_MAX) return tooLarge("too many conditions at once");
  const keys = conditions.reduce((sum, each) => sum + keyLengthOf(each), 0);
  if (keys > KEYS_MAX) {
    return tooLarge(`the keys of meta_data are longer than ${KEYS_MAX} characters together`);
  }
  return bytesOf(conditions) > COMPARED_BYTES_MAX
    ? tooLarge(`the values written out are longer than ${COMPARED_BYTES_MAX} bytes together`)
    : ok(conditions);
}

const bytesOf = (values: readonly unknown[]): number =>
  new TextEncoder().encode(JSON.stringify(values)).length;

const tooLarge = (text: string) => err(refusal("GEN_VALIDATION_ERROR", `Invalid filter: ${text}`));

const keyLengthOf = (condition: Condition): number =>
  condition.on === "meta_data" ? condition.key.length : 0;

/** How many parameters a condition needs at most. One on a transaction's sides is asked of both. */
function parametersOf({ on }: Condition): number {
  if (on === "side-indicator") return 8;
  return on === "side" ? 4 : 3;
}

/** A condition against the table of fields and operators. */
function checkCondition(resource: ListedResource, asked: Asked): Result<Condition> {
  const { field } = asked;
  if (field.startsWith("meta_data.")) return checkMetaData(asked);
  const kind = Object.hasOwn(resource.fields, field) ? resource.fields[field] : undefined;
  if (kind === undefined) {
    return invalid(`invalid field '${field}' for table '${resource.table}'`);
  }
  const operator = checkOperator(resource, asked, kind);
  if (!operator.ok) return operator;

  const wrapped = (test: Test): Condition =>
    kind === "side" || kind === "side-indicator"
      ? { on: kind, test }
      : { on: "field", field, test };
  const test = testOf(operator.value, asked, kind);
  return test.ok ? ok(wrapped(test.value)) : test;
}

/** A filter that does not fit the table: `Invalid filter: …`. */
export const invalid = (text: string): { readonly ok: false; readonly error: LedgerError } =>
  err(refusal("GEN_BAD_REQUEST", `Invalid filter: ${text}`, {}));

const wrongValue = (field: string, wanted: string) =>
  err(
    refusal("GEN_VALIDATION_ERROR", `Invalid filter: field '${field}' wants ${wanted}`, { field }),
  );

function checkOperator(
  resource: ListedResource,
  { field, operator, operands }: Asked,
  kind: FieldKind,
): Result<Operator> {
  const known = checkOperands(field, operator, operands);
  if (!known.ok) return known;
  if (kind === "side" && !SIDE_OPERATORS.includes(known.value)) {
    return invalid(
      `operator '${operator}' is not supported for field '${field}' on ${resource.table}: must be one of ${SIDE_OPERATORS.join(", ")}`,
    );
  }
  return known;
}

function checkOperands(
  field: string,
  operator: string,
  operands: readonly Operand[],
): Result<Operator> {
  if (!isOperator(operator)) {
    return invalid(
      `invalid operator '${operator}' for field '${field}': must be one of ${OPERATORS.join(", ")}`,
    );
  }
  if (operator === "in" && operands.length === 0) {
    return invalid(`operator 'in' for field '${field}' requires at least one value in 'values'`);
  }
  if (operator === "between" && operands.length !== 2) {
    return invalid(
      `operator 'between' for field '${field}' requires exactly two values in 'values', got ${operands.length}`,
    );
  }
  return ok(operator);
}

const PATTERN_WANTED =
  "a pattern without a NUL: beyond 50 bytes, one that fixes its start, its end and one text between them at most";

const WANTED = {
  text: "text",
  amount: "a number",
  instant: "a date or a time, such as 2030-02-03 or 2030-02-03T04:05:06Z",
  json: "no other operators than isnull and isnotnull",
  side: "text",
  "side-indicator": "text",
} as const satisfies Record<FieldKind, string>;

const READERS = {
  text: textOf,
  amount: amountOf,
  instant: instantOf,
  json: () => null,
  side: textOf,
  "side-indicator": textOf,
} as const satisfies Record<FieldKind, Read>;

function testOf(operator: Operator, asked: Asked, kind: FieldKind): Result<Test> {
  const { field, operands } = asked;
  const [operand] = operands;
  if (operator === "isnull" || operator === "isnotnull") return ok({ operator });
  const isPattern = operator === "like" || operator === "ilike";
  if (isPattern && (kind === "amount" || kind === "instant")) {
    return wrongValue(field, "no pattern: it is not text");
  }
  // In a query string a date is its whole day, a second all its microseconds.
  if (operator === "eq" && kind === "instant" && operand?.type === "bare") {
    const moment = parseMoment(operand.text);
    if (moment !== null) {
      return ok({ operator: "between", low: moment.start, high: moment.end });
    }
  }
  const test = comparison(operator, operands, READERS[kind]);
  return test === null ? wrongValue(field, isPattern ? PATTERN_WANTED : WANTED[kind]) : ok(test);
}

/** The comparison of operands that all read well, or null. */
function comparison(
  operator: Exclude<Operator, "isnull" | "isnotnull">,
  operands: readonly Operand[],
  read: Read,
): Test | null {
  const values = operands.map(read).filter((value) => value !== null);
  const [first, second] = values;
  if (values.length < operands.length || first === undefined) return null;
  switch (operator) {
    case "in":
      return { operator, values };
    case "between":
      return second === undefined ? null : { operator, low: first, high: second };
    case "like":
    case "ilike": {
      const pattern = parsePattern(first);
      return pattern === null
        ? null
        : { operator: "like", pattern, ignoreCase: operator === "ilike" };
    }
    case "eq":
    case "ne":
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return { operator, value: first };
    default:
      return unreachable(operator);
  }
}

const META_DATA_KEY = /^[a-zA-Z][a-zA-Z0-9_]*$/;

function checkMetaData({ field, operator, operands }: Asked): Result<Condition> {
  const key = field.slice("meta_data.".length);
  if (!META_DATA_KEY.test(key)) {
    return invalid(
      `invalid JSON key '${key}' in field '${field}': must match pattern ${META_DATA_KEY.source}`,
    );
  }
  const known = checkOperands(field, operator, operands);
  if (!known.ok) return known;
  const test = metaDataTest(known.value, operands);
  if (test !== null) return ok({ on: "meta_data", key, test });
  if (operator === "like" || operator === "ilike") return wrongValue(field, PATTERN_WANTED);
  const isTyped = ["eq", "ne", "in"].includes(operator);
  return wrongValue(field, isTyped ? "text, a number or a boolean" : "a number");
}

function metaDataTest(operator: Operator, operands: readonly Operand[]): MetaDataTest | null {
  const [operand] = operands;
  switch (operator) {
    case "isnull":
    case "isnotnull":
      return { operator: "text", test: { operator } };
    case "eq":
      return operand === undefined ? null : equality(operand);
    case "ne":
    case "like":
    case "ilike":
    case "in":
      return wrapped("text", comparison(operator, operands, metaTextOf));
    case "gt":
    case "gte":
    case "lt":
    case "lte":
    case "between":
      return wrapped("number", comparison(operator, operands, decimalOf));
    default:
      return unreachable(operator);
  }
}

const wrapped = (operator: "text" | "number", test: Test | null): MetaDataTest | null =>
  test === null ? null : { operator, test };

function equality(operand: Operand): MetaDataTest | null {
  const moment = operand.type === "bare" ? parseMoment(operand.text) : null;
  if (moment !== null) return { operator: "within", ...moment };
  const scalar = scalarOf(operand);
  if (scalar === null) return null;
  return scalar.type === "number" && decimalOf(operand) === null
    ? null
    : { operator: "is", ...scalar };
}
