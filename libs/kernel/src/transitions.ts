import { InvalidTransitionError } from './errors.js';

/** A machine as a table: each state with the states it may go to. Terminal states have an empty list. */
export type TransitionTable<S extends string> = { readonly [K in S]: readonly S[] };

/**
 * Moves a thing along its table.
 * @throws InvalidTransitionError for a move the table does not have: always a defect of ours, never of the input. The thing is unchanged.
 */
export function move<S extends string, T extends { readonly state: S }>(
  table: TransitionTable<S>,
  thing: T,
  to: S,
  causedBy: string,
): T {
  if (!table[thing.state].includes(to)) throw new InvalidTransitionError(thing.state, to, causedBy);
  return { ...thing, state: to };
}

/** Whether a state has no way out. */
export function isTerminal<S extends string>(table: TransitionTable<S>, state: S): boolean {
  return table[state].length === 0;
}
