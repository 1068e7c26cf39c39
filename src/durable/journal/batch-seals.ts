import { sha256Hex } from "../../domain/digest";

/** Batches and their items have seals. Those that were there before get theirs once, items do not. */
export const BATCH_SEALS = `
  ALTER TABLE batches ADD COLUMN seal TEXT NOT NULL DEFAULT '';
  ALTER TABLE batch_items ADD COLUMN seal TEXT NOT NULL DEFAULT '';`;

/** A batch as it is on disk. */
export type BatchRow = {
  readonly batch_id: string;
  readonly header: string;
  readonly status: string;
  readonly done: number;
  readonly step: string | null;
  readonly failure: string | null;
  readonly work: number;
  readonly ended_at: string | null;
};

/** An item of a batch as it is on disk. */
type ItemRow = {
  readonly batch_id: string;
  readonly sequence: number;
  readonly posting: string;
  readonly error: string | null;
};

/** What is stored of a batch, in the order of its columns. */
export const batchColumns = (row: BatchRow) =>
  [
    row.batch_id,
    row.header,
    row.status,
    row.done,
    row.step,
    row.failure,
    row.work,
    row.ended_at,
  ] as const;

/** The seal of a batch. */
export const batchSeal = (row: BatchRow): string => sha256Hex(JSON.stringify(batchColumns(row)));

/** The seal of an item. */
export const itemSeal = ({ batch_id, sequence, posting, error }: ItemRow): string =>
  sha256Hex(JSON.stringify([batch_id, sequence, posting, error]));

/** Seals the batches that are older than seals. It happens once in an object's life. */
export function sealOlderBatches(sql: SqlStorage): void {
  for (const row of sql.exec<BatchRow>("SELECT * FROM batches WHERE seal = ''").toArray()) {
    sql.exec("UPDATE batches SET seal = ? WHERE batch_id = ?", batchSeal(row), row.batch_id);
  }
}

/** Something that is wrong with a batch. */
export interface BatchFault {
  readonly batchId: string;
  readonly message: string;
}

/** Some batches with their items, looked at after a place, and the place after them; null at the end. */
export interface BatchesLook {
  readonly faults: readonly BatchFault[];
  readonly next: string | null;
}

/** Looks at batches and items on disk after a place (a batch and one of its items), about `limit` of them. It changes nothing. */
export function lookAtBatches(sql: SqlStorage, place: string, limit: number): BatchesLook {
  const faults: BatchFault[] = [];
  const [within = "", after = ""] = place.split(" ");
  let batchId: string | null = within;
  let sequence = Number(after);
  for (let left = limit; left > 0; left -= 1) {
    if (!(sequence > 0)) {
      batchId = nextAfter(sql, batchId);
      if (batchId === null) return { faults, next: null };
      const message = batchFault(sql, batchId);
      if (message !== null) faults.push({ batchId, message });
      sequence = 0;
    }
    const items = itemsAfter(sql, { batchId, sequence, limit: left });
    for (const item of items) {
      if (item.isSealed && itemSeal(item) !== item.seal) {
        faults.push({ batchId, message: `item ${item.sequence} is not what was sent` });
      }
    }
    left -= items.length;
    sequence = left > 0 ? 0 : (items.at(-1)?.sequence ?? 0);
  }
  return { faults, next: `${batchId} ${sequence}` };
}

/** The next batch of which there is a row, or an item. */
function nextAfter(sql: SqlStorage, batchId: string): string | null {
  const [row] = sql.exec<{ id: string | null }>(
    `SELECT min(id) AS id FROM (SELECT min(batch_id) AS id FROM batches WHERE batch_id > ?
       UNION ALL SELECT min(batch_id) FROM batch_items WHERE batch_id > ?)`,
    batchId,
    batchId,
  );
  return row?.id ?? null;
}

function batchFault(sql: SqlStorage, batchId: string): string | null {
  const [row] = sql.exec<BatchRow & { seal: string }>(
    "SELECT * FROM batches WHERE batch_id = ?",
    batchId,
  );
  if (row === undefined) {
    const isStaged = "SELECT 1 FROM staged_batches WHERE batch_id = ?";
    return sql.exec(isStaged, batchId).toArray().length > 0 ? null : "its items have no batch";
  }
  if (batchSeal(row) !== row.seal) return "the batch is not what was written";
  const { items } = sql
    .exec<{ items: number }>(
      "SELECT count(*) AS items FROM batch_items WHERE batch_id = ?",
      batchId,
    )
    .one();
  return items === countOf(row.header) ? null : "the batch has not all of its items";
}

function countOf(header: string): unknown {
  try {
    return JSON.parse(header).count;
  } catch {
    return null;
  }
}

type SealedItem = ItemRow & { readonly seal: string; readonly isSealed: boolean };

/** Items after one; those of batches that are older than seals have none. */
function itemsAfter(
  sql: SqlStorage,
  asked: { readonly batchId: string; readonly sequence: number; readonly limit: number },
): SealedItem[] {
  const [batch] = sql.exec<{ sealed: number | null }>(
    "SELECT header ->> '$.sealsItems' AS sealed FROM batches WHERE batch_id = ? AND json_valid(header)",
    asked.batchId,
  );
  return sql
    .exec<ItemRow & { seal: string }>(
      "SELECT * FROM batch_items WHERE batch_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
      asked.batchId,
      asked.sequence,
      asked.limit,
    )
    .toArray()
    .map((item) => ({ ...item, isSealed: batch?.sealed === 1 }));
}
