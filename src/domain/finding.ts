/** What a look at the stored bytes can find wrong. */
export type FindingCode =
  /** An entry is not what its hash was made of, or does not follow from the entry before it. */
  | "entry_altered"
  /** An entry is gone from the middle of its chain. */
  | "entry_missing"
  /** An entry's amounts are not those before it with its change. */
  | "entry_amounts"
  /** An entry that no transaction accounts for. */
  | "entry_unexplained"
  /** A balance's profile is not what its seal was made of, or not where it belongs. */
  | "profile_altered"
  /** A balance keeps money back for what is not under way. */
  | "reservation_unexplained"
  /** A balance that no shard has on its list. */
  | "balance_unlisted"
  /** Whose money a balance has, or a change of it moved, is not what was written, or not what the transaction says. */
  | "funds_altered"
  /** A balance cannot be read: what it has stored makes no sense, or it does not answer. */
  | "unreadable"
  /** A transaction cannot be read, or lies under an id that is not its own. */
  | "row_altered"
  /** Where a shard looks for its work is not what it wrote. */
  | "shard_altered"
  /** A batch or one of its items is not what its seal was made of, or not all of it is there. */
  | "batch_altered"
  /** A transaction and its entries tell different things. */
  | "row_differs"
  /** D1 lacks what an object has. */
  | "copy_missing"
  /** D1 and an object tell different things. */
  | "copy_differs"
  /** D1 has what no object knows. */
  | "copy_unknown"
  /** A timer or a schedule whose time is long past, or a transaction that does not come to its end. */
  | "overdue"
  /** The balances of a currency do not add up to zero. */
  | "sum_not_zero";

/** Something that is wrong, and where. */
export interface Finding {
  readonly code: FindingCode;
  /** The balance, transaction or currency that it is about. */
  readonly id: string;
  /** Where it is stored. */
  readonly store: "balance" | "journal" | "d1";
  /** The version of the entry that it is about; null when it is about none. */
  readonly version: number | null;
  /** In words: what differs. */
  readonly message: string;
}
