import { sha256Hex } from "../../domain/digest";
import { invariant } from "../../domain/invariant";
import {
  allocate,
  type Fund,
  type HeldFunds,
  type Piece,
  PROVIDERS_MAX,
  received,
  released,
  type Strategy,
  settle,
} from "../../domain/lineage";
import type { TraceOperation } from "./protocol";

/** Only a balance that tracks its funds has these: what it has of each provider, what holds tie up, and what every change moved. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS funds (
    seq INTEGER PRIMARY KEY,
    provider TEXT NOT NULL UNIQUE,
    credited TEXT NOT NULL,
    spent TEXT NOT NULL,
    held TEXT NOT NULL,
    seal TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS fund_holds (
    transaction_id TEXT NOT NULL,
    side TEXT NOT NULL,
    remainder TEXT NOT NULL,
    pieces TEXT NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (transaction_id, side)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fund_moves (
    op TEXT PRIMARY KEY,
    pieces TEXT NOT NULL,
    seal TEXT NOT NULL
  ) WITHOUT ROWID;`;

type FundRow = {
  seq: number;
  provider: string;
  credited: string;
  spent: string;
  held: string;
  seal: string;
};
type HoldRow = {
  transaction_id: string;
  side: string;
  remainder: string;
  pieces: string;
  seal: string;
};
type MoveRow = { op: string; pieces: string; seal: string };

/** Whose money a change moved, as it is on disk. */
export interface FundMove {
  readonly pieces: readonly Piece[];
  /** Whether it, and what is left of its hold, are what their seals were made of. */
  readonly isSound: boolean;
  /** Whether some of it is still held. */
  readonly isHeld: boolean;
}

/** Keeps apart whose money a balance has. Runs inside the transaction of its caller. */
export class FundsStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What it has of each provider, in the order in which it first heard of them. */
  all(): Fund[] {
    return this.#hasTables ? this.#select() : [];
  }

  /** Whether what it has of each provider is what its seals were made of, and none is gone from among them. */
  get isSound(): boolean {
    if (!this.#hasTables) return true;
    return this.#rows().every(
      ({ seal, ...row }, index) => row.seq === index + 1 && seal === sealOf(row),
    );
  }

  /** Whose money a change moved; null when it was not asked for. */
  moveOf(op: string, hold: { transactionId: string; side: string }): FundMove | null {
    if (!this.#hasTables) return null;
    const [move] = this.#sql.exec<MoveRow>("SELECT * FROM fund_moves WHERE op = ?", op);
    if (move === undefined) return null;
    const { seal, ...row } = move;
    const left = this.#holdRow(hold.transactionId, hold.side);
    const isSound = seal === sealOf(row) && (left === null || left.seal === holdSealOf(left));
    return { pieces: isSound ? piecesOf(row.pieces) : [], isSound, isHeld: left !== null };
  }

  get #hasTables(): boolean {
    const query = "SELECT 1 FROM sqlite_master WHERE name = 'funds'";
    return this.#sql.exec(query).toArray().length > 0;
  }

  #rows(): FundRow[] {
    return this.#sql.exec<FundRow>("SELECT * FROM funds ORDER BY seq").toArray();
  }

  #select(): Fund[] {
    return this.#rows().map(({ provider, credited, spent, held }) => ({
      provider,
      credited: BigInt(credited),
      spent: BigInt(spent),
      held: BigInt(held),
    }));
  }

  #holdRow(transactionId: string, side: string): HoldRow | null {
    const [row] = this.#sql.exec<HoldRow>(
      "SELECT * FROM fund_holds WHERE transaction_id = ? AND side = ?",
      transactionId,
      side,
    );
    return row ?? null;
  }

  /** Whose money a change moved: worked out once, told again for repeats. */
  trace(operation: TraceOperation, strategy: Strategy): Piece[] {
    this.#sql.exec(TABLES);
    const [known] = this.#sql.exec<{ pieces: string }>(
      "SELECT pieces FROM fund_moves WHERE op = ?",
      operation.op,
    );
    if (known !== undefined) return piecesOf(known.pieces);
    const pieces =
      operation.side === "source" ? this.#release(operation, strategy) : this.#receive(operation);
    const move = { op: operation.op, pieces: textOf(pieces) };
    this.#sql.exec("INSERT INTO fund_moves VALUES (?, ?, ?)", move.op, move.pieces, sealOf(move));
    return pieces;
  }

  #release(operation: TraceOperation, strategy: Strategy): Piece[] {
    const { action, amount } = operation;
    const funds = this.#select();
    const pieces = this.#settled(operation) ?? allocate(strategy, funds, amount);
    for (const { provider, amount: part } of pieces) {
      const fund = funds.find((each) => each.provider === provider);
      invariant(fund !== undefined, "what is released was received");
      this.#save(released(fund, action, part));
    }
    if (action === "hold") this.#saveHold(operation, { left: amount, pieces });
    return pieces;
  }

  #receive(operation: TraceOperation): Piece[] {
    const { action, amount: left } = operation;
    const funds = new Map(this.#select().map((fund) => [fund.provider, fund]));
    const pieces = this.#settled(operation) ?? this.#known(operation.received ?? [], funds);
    for (const { provider, amount } of pieces) {
      const fund = funds.get(provider) ?? { provider, credited: 0n, spent: 0n, held: 0n };
      this.#save(received(fund, action, amount));
    }
    if (action === "hold") this.#saveHold(operation, { left, pieces });
    return pieces;
  }

  /** Those of providers that are told apart: of so many, and no more. */
  #known(pieces: readonly Piece[], funds: ReadonlyMap<string, Fund>): Piece[] {
    let room = PROVIDERS_MAX - funds.size;
    return pieces.filter(({ provider }) => {
      if (funds.has(provider)) return true;
      room -= 1;
      return room >= 0;
    });
  }

  /** What of a hold is settled; null when the change settles none. */
  #settled(operation: TraceOperation): Piece[] | null {
    const { action, hold, side } = operation;
    if (action !== "commit" && action !== "void") return null;
    const row = this.#holdRow(hold, side);
    if (row === null) return [];
    const held = { left: BigInt(row.remainder), pieces: piecesOf(row.pieces) };
    const settled = settle(held, { ...operation, action });
    this.#saveHold(operation, settled.held);
    return settled.pieces;
  }

  #saveHold({ hold, side }: TraceOperation, { left, pieces }: HeldFunds): void {
    if (left === 0n) {
      this.#sql.exec("DELETE FROM fund_holds WHERE transaction_id = ? AND side = ?", hold, side);
      return;
    }
    const row = { transaction_id: hold, side, remainder: left.toString(), pieces: textOf(pieces) };
    this.#sql.exec(
      "INSERT OR REPLACE INTO fund_holds VALUES (?, ?, ?, ?, ?)",
      ...Object.values(row),
      holdSealOf(row),
    );
  }

  #save({ provider, credited, spent, held }: Fund): void {
    const [known] = this.#sql.exec<{ seq: number }>(
      "SELECT coalesce((SELECT seq FROM funds WHERE provider = ?), (SELECT count(*) + 1 FROM funds)) AS seq",
      provider,
    );
    invariant(known !== undefined, "a count is a row");
    const row = {
      seq: known.seq,
      provider,
      credited: credited.toString(),
      spent: spent.toString(),
      held: held.toString(),
    };
    this.#sql.exec(
      "INSERT OR REPLACE INTO funds VALUES (?, ?, ?, ?, ?, ?)",
      ...Object.values(row),
      sealOf(row),
    );
  }
}

/** The seal of a row: what was written as it. */
const sealOf = (row: Omit<FundRow, "seal"> | Omit<MoveRow, "seal">): string =>
  sha256Hex(JSON.stringify(Object.values(row)));

const holdSealOf = ({ transaction_id, side, remainder, pieces }: Omit<HoldRow, "seal">): string =>
  sha256Hex(JSON.stringify([transaction_id, side, remainder, pieces]));

const textOf = (pieces: readonly Piece[]): string =>
  JSON.stringify(pieces.map(({ provider, amount }) => [provider, amount.toString()]));

const piecesOf = (text: string): Piece[] =>
  JSON.parse(text).map(([provider, amount]: [string, string]) => ({
    provider,
    amount: BigInt(amount),
  }));
