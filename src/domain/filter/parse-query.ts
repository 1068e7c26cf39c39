import { type LedgerError, refusal } from "../error";
import { err, ok, type Result } from "../result";
import { type Asked, checkConditions, invalid } from "./check";
import { eventualOf, type ListQuery, positionOf, WRONG_CONSISTENCY } from "./list-query";
import type { Operand } from "./operand";
import { operatorOfSuffix } from "./operators";
import type { LimitRule, ListedResource } from "./resources";
import { checkOrder } from "./sort";

const FILTERS_MAX = 20;
const VALUES_MAX = 100;
const VALUE_BYTES_MAX = 1000;

/** Parameters that never are filters (contract/core.md section 10.3). Most have no effect, there as here. */
const RESERVED: readonly string[] = [
  "page",
  "pagesize",
  "per_page",
  "limit",
  "offset",
  "sort",
  "order",
  "order_by",
  "order_dir",
  "logical_operator",
  "instance_id",
  "org_id",
  "sort_by",
  "sort_order",
  "include_count",
  "cursor",
  "consistency",
];

/** What is wrong with one parameter, as lists answer it (contract/core.md section 1.8). */
interface BadParameter {
  readonly Param: string;
  readonly Message: string;
}

/**
 * The question of a `GET` list, from its query parameters in order; only the first of repeated ones counts. Refused: a
 * parameter that is not understood, by its name, and whatever else would make the answer one to another question.
 */
export function parseListQuery(
  resource: ListedResource,
  parameters: Iterable<readonly [string, string]>,
): Result<ListQuery> {
  const valueByName = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (!valueByName.has(name)) valueByName.set(name, value);
  }
  const filters = readFilters(resource, valueByName);
  if (!filters.ok) return filters;
  const { asked, combine, count, eventual } = filters.value;

  const paging = readPaging(resource, valueByName, asked.length > 0);
  if (!paging.ok) return paging;
  const order = checkOrder(resource, {
    sortBy: valueByName.get("sort_by") ?? "",
    sortOrder: valueByName.get("sort_order") ?? "",
    isPositioned: paging.value.after !== null,
  });
  if (!order.ok) return order;

  const conditions = checkConditions(resource, asked);
  if (!conditions.ok) return conditions;
  return ok({
    ...paging.value,
    ...order.value,
    conditions: conditions.value,
    combine,
    count,
    eventual,
  });
}

interface Filters extends Pick<ListQuery, "combine" | "count" | "eventual"> {
  readonly asked: readonly Asked[];
}

function readFilters(
  resource: ListedResource,
  valueByName: ReadonlyMap<string, string>,
): Result<Filters> {
  const bad: BadParameter[] = [];
  const asked: Asked[] = [];
  for (const [name, value] of valueByName) {
    if (RESERVED.includes(name) || resource.withoutEffect.includes(name)) continue;
    const split = name.lastIndexOf("_");
    const operator = split <= 0 ? null : operatorOfSuffix(name.slice(split + 1));
    if (operator === null) {
      return invalid(`unknown parameter '${name}': filters are written <field>_<operator>=<value>`);
    }
    const operands = operandsOf(operator, value);
    if (typeof operands === "string") bad.push({ Param: name, Message: operands });
    else asked.push({ field: name.slice(0, split), operator, operands });
  }
  if (asked.length + bad.length > FILTERS_MAX) {
    bad.push({ Param: "filters", Message: `exceeded maximum number of filters (${FILTERS_MAX})` });
  }
  const combine = combineOf(valueByName.get("logical_operator") ?? "");
  if (combine === null) {
    bad.push({
      Param: "logical_operator",
      Message: "invalid logical_operator: must be 'and' or 'or'",
    });
  }
  const count = countOf(valueByName.get("include_count") ?? "");
  if (count === null) {
    bad.push({
      Param: "include_count",
      Message: "invalid include_count: must be 'true' or 'false'",
    });
  }
  const eventual = eventualOf(valueByName.get("consistency") ?? "");
  if (eventual === undefined) bad.push({ Param: "consistency", Message: WRONG_CONSISTENCY });
  if (bad.length > 0 || combine === null || count === null || eventual === undefined) {
    return err(badParameters(bad));
  }
  return ok({ asked, combine, count, eventual });
}

/** Whether to count, which is not done unless it is asked for; null for any other word. */
function countOf(text: string): boolean | null {
  if (text === "" || text === "false") return false;
  return text === "true" ? true : null;
}

/** `and` unless `or` was written; null for any other word. */
export function combineOf(text: string): "and" | "or" | null {
  const word = text.trim().toLowerCase();
  if (word === "") return "and";
  return word === "and" || word === "or" ? word : null;
}

/** The values of a parameter, or what is wrong with them. */
function operandsOf(operator: string, value: string): readonly Operand[] | string {
  if (new TextEncoder().encode(value).length > VALUE_BYTES_MAX) {
    return `value exceeds maximum length (${VALUE_BYTES_MAX} chars)`;
  }
  if (operator === "in") {
    const values = value.split(",").map((each) => each.trim());
    return values.length > VALUES_MAX
      ? `IN operator exceeds maximum values (${VALUES_MAX})`
      : values.map(bare);
  }
  if (operator !== "between") return [bare(value)];
  const values = value.split("|").map((each) => each.trim());
  return values.length === 2
    ? values.map(bare)
    : "between operator requires exactly 2 pipe-separated values (value1|value2)";
}

const bare = (text: string): Operand => ({ type: "bare", text });

const badParameters = (bad: readonly BadParameter[]): LedgerError => ({
  code: "GEN_VALIDATION_ERROR",
  message: "invalid filter parameters",
  details: bad,
  shownAs: "errors",
});

type Paging = Pick<ListQuery, "limit" | "offset" | "after">;

function readPaging(
  resource: ListedResource,
  valueByName: ReadonlyMap<string, string>,
  isFiltered: boolean,
): Result<Paging> {
  const rule = isFiltered ? resource.filtered : resource.whole;
  const limitText = valueByName.get("limit") ?? "";
  const offsetText = valueByName.get("offset") ?? "";
  const limit = limitText === "" ? rule.usual : integerOf(limitText);
  const offset = offsetText === "" ? 0 : integerOf(offsetText);
  if (resource.badLimit === "refused") {
    if (limit === null || limit < 1) return badNumber("limit");
    if (offset === null || offset < 0) return badNumber("offset");
  }
  const after = readCursor(valueByName.get("cursor") ?? "", offset ?? 0);
  if (!after.ok) return after;
  return ok({
    limit: boundedLimit(rule, limit ?? 0),
    offset: Math.max(0, offset ?? 0),
    after: after.value,
  });
}

/** The position that a cursor names, null without one; it continues a list, so it has no offset of its own. */
export function readCursor(cursor: string, offset: number): Result<ListQuery["after"]> {
  if (cursor === "") return ok(null);
  const position = positionOf(cursor);
  if (position === null) return err(refusal("GEN_VALIDATION_ERROR", "invalid cursor value"));
  if (offset > 0) {
    return err(refusal("GEN_VALIDATION_ERROR", "cursor and offset cannot be used together"));
  }
  return ok(position);
}

/** A limit within its rule; one below 1 counts as none. */
export function boundedLimit(rule: LimitRule, limit: number): number {
  if (limit < 1) return rule.usual;
  return limit > rule.max ? rule.over : limit;
}

const badNumber = (name: "limit" | "offset") =>
  err(refusal("GEN_VALIDATION_ERROR", `invalid ${name} value`));

function integerOf(text: string): number | null {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}
