import type { AtomId, AtomTable } from './atom-table.js';
import { plan, unbound, type Plan, type Shape } from './plan.js';
import type { Query } from './query.js';
import { Search } from './search.js';

export interface QueryOptions {
  /** Only links that were stated for themselves match the outermost pattern. */
  readonly toplevelOnly?: boolean;
  /** Answers with the assignment of an earlier one are left out. */
  readonly uniqueAssignment?: boolean;
  /** Answers that give two variables the same value are left out. */
  readonly uniqueValue?: boolean;
}

export interface Answer {
  /** What each variable stands for, in order of first occurrence; empty for a query without variables. */
  readonly assignment: readonly (readonly [variable: string, value: AtomId])[];
  /** The matched atom; for a conjunction those of its patterns, in the order of the query. */
  readonly matched: AtomId | readonly AtomId[];
}

/**
 * The answers, as they are found; the order depends on query and table only.
 *
 * @throws QueryTooLargeError
 */
export function* answers(table: AtomTable, query: Query, options: QueryOptions = {}): Generator<Answer, void> {
  const planned = plan(query, table, options.toplevelOnly ?? false);
  const search = new Search(table, planned.initial);
  const seen = new Set<string>();
  for (const _ of search.solve([planned.goal])) {
    const answer = read(planned, search.binding);
    if (options.uniqueValue === true && !hasUniqueValues(answer)) continue;
    if (options.uniqueAssignment === true && !addNew(seen, JSON.stringify(answer.assignment))) continue;
    yield answer;
  }
}

function read({ variables, shape }: Plan, binding: readonly AtomId[]): Answer {
  const assignment = variables
    .map(([name, slot]) => [name, binding[slot] ?? unbound] as const)
    .filter(([, value]) => value !== unbound);
  const matched = atoms(shape, binding);
  const [only] = matched;
  return { assignment, matched: isList(shape, binding) || only === undefined ? matched : only };
}

function atoms(shape: Shape, binding: readonly AtomId[]): AtomId[] {
  switch (shape.kind) {
    case 'one':
      return [binding[shape.slot] ?? unbound];
    case 'all':
      return shape.parts.flatMap((part) => atoms(part, binding));
    case 'oneOf':
      return shape.branches.filter((branch) => isBound(branch, binding)).flatMap((branch) => atoms(branch, binding));
  }
}

function isBound(shape: Shape, binding: readonly AtomId[]): boolean {
  const found = atoms(shape, binding);
  return found.length > 0 && found.every((atom) => atom !== unbound);
}

function isList(shape: Shape, binding: readonly AtomId[]): boolean {
  if (shape.kind !== 'oneOf') return shape.kind === 'all';
  return shape.branches.some((branch) => isBound(branch, binding) && isList(branch, binding));
}

function hasUniqueValues({ assignment }: Answer): boolean {
  return new Set(assignment.map(([, value]) => value)).size === assignment.length;
}

function addNew(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}
