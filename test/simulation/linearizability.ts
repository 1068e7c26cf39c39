/*
 * A history is linearizable when every operation can be given one moment between its beginning and its end, so that the
 * operations one after another, in the order of these moments, are a run of the sequential model (Herlihy and Wing, 1990).
 * The search takes one operation after another that could be the next, and goes back when that leads nowhere (Wing and
 * Gong, 1993); what it has tried once, the same operations taken and the same state, it does not try again (Lowe, 2017).
 */

/** One operation as its client saw it. */
export interface Operation<Action> {
  readonly began: number;
  /** When it was answered; infinite when it never was, so that it may have happened at any time after its beginning. */
  readonly ended: number;
  readonly action: Action;
}

/** What is checked against: a state, and what an action makes of it. */
export interface Model<State, Action> {
  readonly initial: State;
  /** The state after an action; null when the action cannot have ended like that in this state. */
  next(state: State, action: Action): State | null;
  /** The same text for the same state. */
  textOf(state: State): string;
}

/** What the search has found: an order, or the longest one that it could begin with. */
export interface Verdict<Action> {
  readonly isLinearizable: boolean;
  readonly order: readonly Operation<Action>[];
  /** How many operations were tried as the next one. */
  readonly tried: number;
}

/**
 * Whether a history is linearizable. All its operations have to find their moment: an operation that may not have
 * happened at all is left out, or not, by the caller, who knows what came of it.
 */
export function linearize<State, Action>(
  history: readonly Operation<Action>[],
  { initial, next, textOf }: Model<State, Action>,
): Verdict<Action> {
  const taken = new Array<boolean>(history.length).fill(false);
  const order: number[] = [];
  let longest: number[] = [];
  let tried = 0;
  const dead = new Set<string>();

  function search(state: State): boolean {
    if (order.length > longest.length) longest = [...order];
    if (order.length === history.length) return true;
    const place = `${taken.map(Number).join("")} ${textOf(state)}`;
    if (dead.has(place)) return false;
    for (const index of possibleNext(history, taken)) {
      const action = history[index]?.action;
      tried += 1;
      const after = action === undefined ? null : next(state, action);
      if (after === null) continue;
      taken[index] = true;
      order.push(index);
      if (search(after)) return true;
      order.pop();
      taken[index] = false;
    }
    dead.add(place);
    return false;
  }

  const isLinearizable = search(initial);
  return { isLinearizable, order: longest.flatMap((index) => history[index] ?? []), tried };
}

/** Operations that began before any other one that is left had ended. */
function possibleNext(history: readonly Operation<unknown>[], taken: readonly boolean[]): number[] {
  const left = history.flatMap((operation, index) => (taken[index] ? [] : [{ operation, index }]));
  const firstEnd = Math.min(...left.map(({ operation: { ended } }) => ended));
  return left.filter(({ operation: { began } }) => began <= firstEnd).map(({ index }) => index);
}
