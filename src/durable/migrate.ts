/** SQL, or what SQL cannot do. */
export type Migration = string | ((sql: SqlStorage) => void);

/**
 * Brings an object's SQLite schema up to date: each migration runs once, in order, in one transaction.
 * Append only: an object may sleep for years and wake under any later version.
 */
export function migrate(storage: DurableObjectStorage, migrations: readonly Migration[]): void {
  storage.transactionSync(() => {
    storage.sql.exec("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)");
    const [row] = storage.sql.exec<{ version: number }>("SELECT version FROM schema_version");
    const done = row?.version ?? 0;
    if (done >= migrations.length) return;
    for (const migration of migrations.slice(done)) {
      if (typeof migration === "string") storage.sql.exec(migration);
      else migration(storage.sql);
    }
    if (row === undefined)
      storage.sql.exec("INSERT INTO schema_version VALUES (?)", migrations.length);
    else storage.sql.exec("UPDATE schema_version SET version = ?", migrations.length);
  });
}

/** Whether the object has ever stored anything. One that was only asked about leaves no trace. */
export function hasSchema(storage: DurableObjectStorage): boolean {
  const rows = storage.sql
    .exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'")
    .toArray();
  return rows.length > 0;
}
