import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { call, field, textOf, writeJson } from "./api";

/** What D1 has of the API's transactions and balances, row by row in the order of their keys. */
export async function dump(): Promise<readonly string[]> {
  const rows: string[] = [];
  for (const [table, key] of [
    ["transactions", "transaction_id"],
    ["balances", "balance_id"],
  ]) {
    const { results } = await env.DB.prepare(
      `SELECT * FROM ${table} WHERE instance_id = 'default' ORDER BY ${key}`,
    ).all();
    rows.push(...results.map((row) => `${table} ${writeJson(row)}`));
  }
  return rows;
}

export interface Rebuilt {
  readonly steps: number;
  readonly written: number;
  readonly removed: number;
}

/** A whole rebuild over HTTP. `limit` rows a step. */
export async function rebuild(limit = 400): Promise<Rebuilt> {
  let [steps, written, removed] = [0, 0, 0];
  let query = `limit=${limit}`;
  for (;;) {
    const answer = await call("POST", `/admin/rebuild?${query}`);
    expect(answer.status, writeJson(answer.body)).toBe(200);
    steps += 1;
    written += Number(field(answer, "written"));
    removed += Number(field(answer, "removed"));
    if (field(answer, "next_cursor") === null) return { steps, written, removed };
    query = `limit=${limit}&cursor=${encodeURIComponent(textOf(answer, "next_cursor"))}`;
  }
}
