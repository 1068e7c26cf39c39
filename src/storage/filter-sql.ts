import { and, type Column, or, type SQL, sql } from "drizzle-orm";
import type { Condition, MetaDataTest, Test } from "../domain/filter/condition";
import type { ListQuery } from "../domain/filter/list-query";
import { invariant, unreachable } from "../domain/invariant";
import { patternSql } from "./pattern-sql";

/** What a field is in SQL: a column, or what is computed from some. */
export type FieldSql = Column | SQL;

/** What a list needs to know of its table to turn conditions into SQL. */
export interface FilteredTable {
  /** By field name, for all fields that stand for themselves. */
  readonly fields: Readonly<Record<string, FieldSql>>;
  readonly metaData: FieldSql;
  /** For the virtual fields of transactions. */
  readonly side?: (test: Test) => SQL;
  readonly sideIndicator?: (test: Test) => SQL;
}

/** The conditions of a query, combined; undefined when there are none. */
export function conditionsSql(
  table: FilteredTable,
  { conditions, combine }: Pick<ListQuery, "conditions" | "combine">,
): SQL | undefined {
  const parts = conditions.map((condition) => conditionSql(table, condition));
  return combine === "and" ? and(...parts) : or(...parts);
}

function conditionSql(table: FilteredTable, condition: Condition): SQL {
  switch (condition.on) {
    case "field":
      return testSql(fieldSql(table, condition.field), condition.test);
    case "meta_data":
      return metaDataSql(table.metaData, condition.key, condition.test);
    case "side":
      invariant(table.side !== undefined, "only transactions have sides");
      return table.side(condition.test);
    case "side-indicator":
      invariant(table.sideIndicator !== undefined, "only transactions have sides");
      return table.sideIndicator(condition.test);
    default:
      return unreachable(condition);
  }
}

/** The column of a field that the list allows. */
export function fieldSql(table: FilteredTable, name: string): FieldSql {
  const field = table.fields[name];
  invariant(field !== undefined, `the field ${name} has a column`);
  return field;
}

/**
 * A column has one value, of many: that it is unlikely is what lets SQLite, which knows no figures of the table, walk an index
 * of the column and not the whole table in the order that is asked for.
 */
export const equalsSql = (column: FieldSql, value: string): SQL =>
  sql`unlikely(${column} = ${value})`;

/** A test of a column. Both sides are text in the same sortable form; a null never fits, except for `isnull`. */
export function testSql(column: FieldSql, test: Test): SQL {
  switch (test.operator) {
    case "eq":
      return equalsSql(column, test.value);
    case "ne":
      return sql`${column} <> ${test.value}`;
    case "gt":
      return sql`${column} > ${test.value}`;
    case "gte":
      return sql`${column} >= ${test.value}`;
    case "lt":
      return sql`${column} < ${test.value}`;
    case "lte":
      return sql`${column} <= ${test.value}`;
    case "in":
      // One parameter however many values: a statement takes a hundred.
      return sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(test.values)}))`;
    case "between":
      return sql`${column} BETWEEN ${test.low} AND ${test.high}`;
    case "like":
      return patternSql(column, test.pattern, test.ignoreCase);
    case "isnull":
      return sql`${column} IS NULL`;
    case "isnotnull":
      return sql`${column} IS NOT NULL`;
    default:
      return unreachable(test);
  }
}

/** Digits that a double holds for certain. */
const DOUBLE_DIGITS = 15;

function metaDataSql(metaData: FieldSql, key: string, test: MetaDataTest): SQL {
  // A key is letters, digits and underscores, so it needs no quotes in a path.
  const path = sql.raw(`'$.${key}'`);
  switch (test.operator) {
    case "is":
      return scalarSql(metaData, path, test);
    case "within":
      return sql`strftime('%Y-%m-%dT%H:%M:%f000Z', json_extract(${metaData}, ${path})) BETWEEN ${test.start} AND ${test.end}`;
    case "text":
      return testSql(textAt(metaData, path), test.test);
    case "number":
      return numberSql(metaData, path, test.test);
    default:
      return unreachable(test);
  }
}

/** Equality in type and value with the value itself, or with an element of it when it is a list. */
function scalarSql(
  metaData: FieldSql,
  path: SQL,
  { type, value }: Extract<MetaDataTest, { operator: "is" }>,
): SQL {
  const each = sql`json_type(${metaData}, ${path}) <> 'object' AND EXISTS (SELECT 1 FROM json_each(${metaData}, ${path}) AS item WHERE`;
  switch (type) {
    case "text":
      return sql`(${each} item.type = 'text' AND item.value = ${value}))`;
    case "boolean":
      return sql`(${each} item.type = ${value}))`;
    case "number": {
      const isLong = value.replace(/\D/g, "").length > DOUBLE_DIGITS;
      // The source text of a number keeps digits that SQLite's own numbers lose.
      const same = isLong
        ? sql`${metaData} -> item.fullkey = ${value}`
        : sql`item.value = CAST(${value} AS NUMERIC)`;
      return sql`(${each} item.type IN ('integer', 'real') AND ${same}))`;
    }
    default:
      return unreachable(type);
  }
}

/** A value of the metadata as text: a string bare, all else as its JSON; null when the key is missing or null. */
const textAt = (metaData: FieldSql, path: SQL): SQL =>
  sql`CASE json_type(${metaData}, ${path}) WHEN 'text' THEN json_extract(${metaData}, ${path}) WHEN 'null' THEN NULL ELSE ${metaData} -> ${path} END`;

/** A value of the metadata as a number, also where it is written as plain digits in a string; null when it is none. */
function numberAt(metaData: FieldSql, path: SQL): SQL {
  const value = sql`json_extract(${metaData}, ${path})`;
  const isPlain = sql`${value} GLOB '*[0-9]*' AND ${value} NOT GLOB '*[^0-9.-]*'
    AND ${value} NOT GLOB '*.*.*' AND ${value} NOT GLOB '?*-*'`;
  return sql`CASE json_type(${metaData}, ${path}) WHEN 'integer' THEN ${value} WHEN 'real' THEN ${value}
    WHEN 'text' THEN CASE WHEN ${isPlain} THEN CAST(${value} AS NUMERIC) END END`;
}

function numberSql(metaData: FieldSql, path: SQL, test: Test): SQL {
  const number = numberAt(metaData, path);
  const operand = (value: string) => sql`CAST(${value} AS NUMERIC)`;
  switch (test.operator) {
    case "gt":
      return sql`${number} > ${operand(test.value)}`;
    case "gte":
      return sql`${number} >= ${operand(test.value)}`;
    case "lt":
      return sql`${number} < ${operand(test.value)}`;
    case "lte":
      return sql`${number} <= ${operand(test.value)}`;
    case "between":
      return sql`${number} BETWEEN ${operand(test.low)} AND ${operand(test.high)}`;
    default:
      invariant(false, "numbers of the metadata are only compared by size");
  }
}
