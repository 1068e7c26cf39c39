/** An entry's place in its chain. */
export interface Known {
  readonly version: number;
  readonly hash: string;
}

/** Where a checked page ends. */
export interface End extends Known {
  readonly balance_id: string;
  readonly currency: string;
  readonly amounts: Readonly<Record<string, bigint>>;
}

export interface Verdict {
  readonly valid: boolean;
  /** What is wrong, in sentences. */
  readonly problems: readonly string[];
}

export function verifyBalance(
  proof: unknown,
  options?: { readonly previous?: End; readonly known?: Known },
): Promise<Verdict & { readonly end: End }>;

export function verifyTransaction(
  proof: unknown,
  options?: { readonly page?: unknown; readonly known?: Readonly<Record<string, Known>> },
): Promise<Verdict>;
