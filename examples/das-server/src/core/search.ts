import type { AtomId, AtomTable } from './atom-table.js';
import { QueryTooLargeError } from './errors.js';
import { unbound, type Goal, type LinkGoal, type Slot } from './plan.js';

/** Links one query may look at: a few seconds. */
export const stepsMax = 50_000_000;

/**
 * Backtracking search that joins on what is already bound: at every step it takes the goal with the fewest candidates
 * left, which the table's indexes tell. While `solve` stands at an answer, `binding` is that answer.
 */
export class Search {
  readonly binding: AtomId[];
  readonly #trail: Slot[] = [];
  #steps = 0;

  constructor(
    private readonly table: AtomTable,
    initial: readonly AtomId[],
    private readonly limit = stepsMax,
  ) {
    this.binding = [...initial];
  }

  /** @throws QueryTooLargeError */
  *solve(goals: readonly Goal[]): Generator<void, void> {
    const next = this.#cheapest(goals);
    if (next === undefined) {
      yield;
      return;
    }
    const rest = goals.filter((goal) => goal !== next);
    switch (next.kind) {
      case 'link':
        return yield* this.#tryLinks(next, rest);
      case 'or':
        for (const branch of next.branches) yield* this.solve([branch, ...rest]);
        return;
      case 'and':
        return yield* this.solve([...next.parts, ...rest]);
      case 'not':
        if (!this.#holds(next.goal)) yield* this.solve(rest);
        return;
      case 'atom':
        return yield* this.#tryAtom(next.self, next.atom, rest);
      case 'never':
        return;
    }
  }

  *#tryAtom(self: Slot, atom: AtomId, rest: readonly Goal[]): Generator<void, void> {
    const mark = this.#trail.length;
    this.#bind(self, atom);
    yield* this.solve(rest);
    this.#undoTo(mark);
  }

  *#tryLinks(goal: LinkGoal, rest: readonly Goal[]): Generator<void, void> {
    const mark = this.#trail.length;
    for (const candidate of this.#candidates(goal)) {
      if (++this.#steps > this.limit) throw new QueryTooLargeError(`it looks at more than ${this.limit} links`);
      if (this.#unify(goal, candidate)) {
        if (rest.length === 0) yield;
        else yield* this.solve(rest);
      }
      this.#undoTo(mark);
    }
  }

  #holds(goal: Goal): boolean {
    const mark = this.#trail.length;
    const found = this.solve([goal]).next().done !== true;
    this.#undoTo(mark);
    return found;
  }

  #cheapest(goals: readonly Goal[]): Goal | undefined {
    let [cheapest] = goals;
    if (goals.length === 1 || cheapest === undefined) return cheapest;
    let least = this.#cost(cheapest);
    for (const goal of goals) {
      const cost = this.#cost(goal);
      if (cost < least) [cheapest, least] = [goal, cost];
    }
    return cheapest;
  }

  /** How many candidates a goal has at most, as far as the indexes tell. */
  #cost(goal: Goal): number {
    switch (goal.kind) {
      case 'link':
        return this.#candidates(goal).length;
      case 'or':
        return goal.branches.reduce((sum, branch) => sum + this.#cost(branch), 0);
      case 'and':
        return Math.min(...goal.parts.map((part) => this.#cost(part)));
      case 'not':
        return goal.outer.every((slot) => this.#at(slot) !== unbound) ? 0 : Infinity;
      default:
        return 0;
    }
  }

  #candidates(goal: LinkGoal): readonly AtomId[] {
    const self = this.#at(goal.self);
    if (self !== unbound) return [self];
    let fewest: readonly AtomId[] | undefined;
    for (const [position, slot] of goal.targets.entries()) {
      const target = this.#at(slot);
      if (target === unbound) continue;
      const links = this.table.linksAt(goal.type, position, target);
      if (fewest === undefined || links.length < fewest.length) fewest = links;
    }
    return fewest ?? this.table.linksOfType(goal.type);
  }

  #unify(goal: LinkGoal, candidate: AtomId): boolean {
    const link = this.table.atom(candidate);
    if (link.kind !== 'link' || link.type !== goal.type || link.targets.length !== goal.targets.length) return false;
    if (goal.toplevel && !link.toplevel) return false;
    return this.#bind(goal.self, candidate) && link.targets.every((target, i) => this.#bind(goal.targets[i], target));
  }

  #bind(slot: Slot | undefined, atom: AtomId): boolean {
    if (slot === undefined) return false;
    const held = this.#at(slot);
    if (held !== unbound) return held === atom;
    this.binding[slot] = atom;
    this.#trail.push(slot);
    return true;
  }

  #undoTo(mark: number): void {
    for (const slot of this.#trail.splice(mark)) this.binding[slot] = unbound;
  }

  #at(slot: Slot): AtomId {
    return this.binding[slot] ?? unbound;
  }
}
