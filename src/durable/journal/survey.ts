import type { BalanceSnapshot } from "../../domain/balance-record";
import { type BalanceId, shardOf, type TransactionId } from "../../domain/ids";
import { referenceUsed } from "../../domain/movement";
import { targetOf } from "./claims";
import type { Survey, SurveyQuestion } from "./protocol";
import type { Row } from "./row";

/** Look-ups that are under way at once in one shard. */
const AT_ONCE = 50;

/** What a survey needs of its shard. */
export interface SurveyHost {
  /** The row when nothing of it is in mid-saga; null when there is none. */
  standing(transactionId: TransactionId): Promise<Row | null>;
  readBalance(balanceId: BalanceId): Promise<BalanceSnapshot | null>;
}

/** Looks up what this shard has of a survey. It writes nothing. */
export async function surveyHere(
  { transactionIds, balanceIds }: SurveyQuestion,
  host: SurveyHost,
): Promise<Survey> {
  const taken: Survey["taken"] = new Map(
    await lookUp(transactionIds, async (id) => {
      const row = await host.standing(id);
      return row === null ? null : referenceUsed(row.posting.reference, targetOf(row));
    }),
  );
  const balances: Survey["balances"] = new Map(
    await lookUp(balanceIds, (id) => host.readBalance(id)),
  );
  return { taken, balances };
}

/** The parts of a survey by the shard that is asked; balances are read through shards, so that no caller makes too many calls. */
export function surveyByShard(
  { transactionIds, balanceIds }: SurveyQuestion,
  shards: number,
): Map<number, SurveyQuestion> {
  const parts = new Map<number, { transactionIds: TransactionId[]; balanceIds: BalanceId[] }>();
  const partOf = (id: TransactionId | BalanceId) => {
    const shard = shardOf(id, shards);
    const part = parts.get(shard) ?? { transactionIds: [], balanceIds: [] };
    parts.set(shard, part);
    return part;
  };
  for (const id of new Set(transactionIds)) partOf(id).transactionIds.push(id);
  for (const id of new Set(balanceIds)) partOf(id).balanceIds.push(id);
  return parts;
}

/** Surveys of different shards as one. */
export const joinSurveys = (surveys: readonly Survey[]): Survey => ({
  taken: new Map(surveys.flatMap(({ taken }) => [...taken])),
  balances: new Map(surveys.flatMap(({ balances }) => [...balances])),
});

async function lookUp<Id, Found>(
  ids: readonly Id[],
  find: (id: Id) => Promise<Found | null>,
): Promise<[Id, Found][]> {
  const found: [Id, Found][] = [];
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const chunk = ids.slice(from, from + AT_ONCE);
    const values = await Promise.all(chunk.map(find));
    chunk.forEach((id, index) => {
      const value = values[index];
      if (value !== null && value !== undefined) found.push([id, value]);
    });
  }
  return found;
}
