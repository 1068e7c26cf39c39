import { isAction } from "../../domain/chain";
import { sha256Hex } from "../../domain/digest";
import { type FundChange, fundSum, fundsOf } from "../../domain/fund-sum";
import { invariant } from "../../domain/invariant";
import {
  allocate,
  availableIn,
  type Fund,
  firstOf,
  type HeldFunds,
  type Piece,
  PROVIDERS_MAX,
  plainPieces,
  received,
  released,
  type Strategy,
  settle,
} from "../../domain/lineage";
import type { Entry } from "../../domain/seal";
import type { FundsAsked, FundsLook } from "./evidence";
import type { MoneyOperation } from "./protocol";

/** Only a balance that tracks its funds has these: what it has of each provider, what holds tie up, what every change moved, and which debits of groups it will be asked about. */
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
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS fund_debits (op TEXT PRIMARY KEY, amount TEXT NOT NULL) WITHOUT ROWID;`;

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
    return this.#rows().every((row, index) => row.seq === index + 1 && isSealed(row));
  }

  /** Whose money a change moved, and what is left of it when it is a hold; null when it was not asked for. */
  moveOf(op: string, hold?: { transactionId: string; side: string }): FundMove | null {
    const move = this.#hasTables ? this.#moveRow(op) : null;
    if (move === null) return null;
    const left = hold === undefined ? null : this.#holdRow(hold.transactionId, hold.side);
    const isSound = isSealed(move) && (left === null || isSealed(left));
    return { pieces: isSound ? piecesIn(move.pieces) : [], isSound, isHeld: left !== null };
  }

  /**
   * What it has of each provider beside what the changes of some entries moved; null when it has none. Throws when what is stored makes
   * no sense.
   */
  look(entries: readonly Entry[], { salt, since }: FundsAsked): FundsLook | null {
    if (!this.#hasTables) return null;
    const changes: FundChange[] = [];
    const untraced: number[] = [];
    for (const { op, version, at, side, action } of entries) {
      const move = this.#moveRow(op);
      if (move !== null) {
        invariant(isAction(action), "an entry has an action");
        changes.push({ side, action, pieces: piecesIn(move.pieces) });
      } else if (at >= since) untraced.push(version);
    }
    const [moved, has] = [fundsOf(changes), this.#select()];
    const known = new Set(has.map(({ provider }) => provider));
    const isKnown = moved.every(({ provider }) => known.has(provider));
    invariant(isKnown, "what was moved is of a provider that it has heard of");
    return { moved: fundSum(salt, moved), has: fundSum(salt, has), untraced };
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

  #moveRow(op: string): MoveRow | null {
    const [row] = this.#sql.exec<MoveRow>("SELECT * FROM fund_moves WHERE op = ?", op);
    return row ?? null;
  }

  #holdRow(transactionId: string, side: string): HoldRow | null {
    const [row] = this.#sql.exec<HoldRow>(
      "SELECT * FROM fund_holds WHERE transaction_id = ? AND side = ?",
      transactionId,
      side,
    );
    return row ?? null;
  }

  /** A debit of a group was posted, and it will be asked whose money it was. */
  expect({ op, side, amount }: MoneyOperation): void {
    if (side !== "source") return;
    this.#sql.exec(TABLES);
    this.#sql.exec("INSERT INTO fund_debits VALUES (?, ?)", op, amount.toString());
  }

  /**
   * Whose money a change moved: worked out once, told again for repeats.
   *
   * @param available what can be spent of the balance, when the change was posted some time ago: no more can come to be known
   * than that and what is expected to be asked for, since others may have spent of what it brought
   */
  trace(change: MoneyOperation, strategy: Strategy, available?: bigint): Piece[] {
    this.#sql.exec(TABLES);
    const known = this.#moveRow(change.op);
    if (known !== null) return piecesIn(known.pieces);
    const pieces =
      change.side === "source" ? this.#release(change, strategy) : this.#receive(change, available);
    const move = { op: change.op, pieces: textOf(pieces) };
    this.#sql.exec("INSERT INTO fund_moves VALUES (?, ?, ?)", move.op, move.pieces, sealOf(move));
    return pieces;
  }

  #release(change: MoneyOperation, strategy: Strategy): Piece[] {
    const { op, action, amount } = change;
    const funds = this.#select();
    const pieces = this.#settled(change) ?? allocate(strategy, funds, amount);
    for (const { provider, amount: part } of pieces) {
      const fund = funds.find((each) => each.provider === provider);
      invariant(fund !== undefined, "what is released was received");
      this.#save(released(fund, action, part));
    }
    if (action === "hold") this.#saveHold(change, { left: amount, pieces });
    this.#sql.exec("DELETE FROM fund_debits WHERE op = ?", op);
    return pieces;
  }

  #receive(change: MoneyOperation, available: bigint | undefined): Piece[] {
    const { action, amount: left, lineage } = change;
    const all = this.#select();
    const funds = new Map(all.map((fund) => [fund.provider, fund]));
    let pieces = this.#settled(change) ?? this.#known(lineage?.received ?? [], funds);
    if (available !== undefined && action === "apply") {
      pieces = firstOf(pieces, available + this.#expected() - availableIn(all));
    }
    for (const { provider, amount } of pieces) {
      const fund = funds.get(provider) ?? { provider, credited: 0n, spent: 0n, held: 0n };
      this.#save(received(fund, action, amount));
    }
    if (action === "hold") this.#saveHold(change, { left, pieces });
    return pieces;
  }

  /** Minor units of posted debits of which it will be asked whose money they were. */
  #expected(): bigint {
    return this.#sql
      .exec<{ amount: string }>("SELECT amount FROM fund_debits")
      .toArray()
      .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
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
  #settled({ action, amount, side, transactionId, lineage }: MoneyOperation): Piece[] | null {
    if (action !== "commit" && action !== "void") return null;
    const { hold = transactionId, received: named = null } = lineage ?? {};
    const row = this.#holdRow(hold, side);
    if (row === null) return [];
    const held = { left: BigInt(row.remainder), pieces: piecesIn(row.pieces) };
    const settled = settle(held, { action, amount, received: named });
    this.#saveHold({ transactionId: hold, side }, settled.held);
    return settled.pieces;
  }

  #saveHold(
    { transactionId: hold, side }: Pick<MoneyOperation, "transactionId" | "side">,
    { left, pieces }: HeldFunds,
  ): void {
    if (left === 0n) {
      this.#sql.exec("DELETE FROM fund_holds WHERE transaction_id = ? AND side = ?", hold, side);
      return;
    }
    const row = { transaction_id: hold, side, remainder: left.toString(), pieces: textOf(pieces) };
    this.#sql.exec(
      "INSERT OR REPLACE INTO fund_holds VALUES (?, ?, ?, ?, ?)",
      ...Object.values(row),
      sealOf(row),
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

/** The seal of a row: the SHA-256 of its columns, in their order. */
const sealOf = (row: object): string => sha256Hex(JSON.stringify(Object.values(row)));

const isSealed = ({ seal, ...row }: FundRow | HoldRow | MoveRow): boolean => seal === sealOf(row);

const textOf = (pieces: readonly Piece[]): string => JSON.stringify(plainPieces(pieces));

const piecesIn = (text: string): Piece[] =>
  JSON.parse(text).map(([provider, amount]: [string, string]) => ({
    provider,
    amount: BigInt(amount),
  }));
