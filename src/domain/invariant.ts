/** A broken promise of our own code: a bug, never a client's mistake. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws when `condition` is false. `promise` says in words what should have held. */
export function invariant(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${promise}`);
}

/** For the last arm of a switch: does not compile while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected value: ${String(value)}`);
}
