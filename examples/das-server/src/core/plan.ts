import type { AtomId, AtomTable } from './atom-table.js';
import { QueryTooLargeError } from './errors.js';
import { nodeHandle } from './handles.js';
import type { Conjunction, LinkPattern, NotPattern, Pattern, Query, Term } from './query.js';

/** A place that holds an atom during the search: one per variable, per constant, and per link pattern. */
export type Slot = number;
/** What a slot holds that is still open. */
export const unbound: AtomId = -1;

/** `self` is the link that matches. A nested link is a goal of its own whose `self` is a target of the outer one. */
export interface LinkGoal {
  readonly kind: 'link';
  readonly self: Slot;
  readonly type: string;
  readonly targets: readonly Slot[];
  readonly toplevel: boolean;
}
export interface NotGoal {
  readonly kind: 'not';
  readonly goal: Goal;
  /** Variables from outside. As soon as they are bound the verdict is final. */
  readonly outer: readonly Slot[];
}
export type Goal =
  | LinkGoal
  | NotGoal
  | { readonly kind: 'atom'; readonly self: Slot; readonly atom: AtomId }
  | { readonly kind: 'and'; readonly parts: readonly Goal[] }
  | { readonly kind: 'or'; readonly branches: readonly Goal[] }
  | { readonly kind: 'never' };

/** Where the matched links of an answer are found. Of `oneOf`, the branch that was taken has its slots bound. */
export type Shape =
  | { readonly kind: 'one'; readonly slot: Slot }
  | { readonly kind: 'all'; readonly parts: readonly Shape[] }
  | { readonly kind: 'oneOf'; readonly branches: readonly Shape[] };

export interface Plan {
  readonly goal: Goal;
  readonly shape: Shape;
  /** Constants are bound from the start. */
  readonly initial: readonly AtomId[];
  /** In order of first occurrence; those that occur in a `not` only are no part of an answer. */
  readonly variables: readonly (readonly [name: string, slot: Slot])[];
}

interface Step {
  readonly goal: Goal;
  readonly shape: Shape;
}
type Scope = Map<string, Slot>;

const slotsMax = 512;

/**
 * Turns a query into goals over slots: names become numbers, atoms are looked up once, nested links are flattened.
 *
 * @throws QueryTooLargeError
 */
export function plan(query: Query, table: AtomTable, toplevelOnly: boolean): Plan {
  const planner = new Planner(table, toplevelOnly);
  const scope: Scope = new Map();
  const step = isConjunction(query) ? planner.and(query, scope) : planner.pattern(query, scope);
  return { ...step, initial: planner.initial, variables: [...scope] };
}

class Planner {
  readonly initial: AtomId[] = [];
  readonly #constants = new Map<AtomId, Slot>();

  constructor(
    private readonly table: AtomTable,
    private readonly toplevelOnly: boolean,
  ) {}

  pattern(pattern: Pattern, scope: Scope): Step {
    switch (pattern.atom_type) {
      case 'and':
        return this.and(pattern.targets, scope);
      case 'or':
        return this.#or(pattern.targets, scope);
      case 'link':
        return this.#link(pattern, scope);
      default:
        return this.#knownAtom(this.#lookUp(pattern));
    }
  }

  and(conjunction: Conjunction, scope: Scope): Step {
    const positive = conjunction.filter((part) => part.atom_type !== 'not');
    const steps = positive.map((part) => this.pattern(part, scope));
    const names = new Set(positive.flatMap(variablesOf));
    const nots = conjunction
      .filter((part) => part.atom_type === 'not')
      .map((part) => this.#not(part, new Map([...scope].filter(([name]) => names.has(name)))));
    return {
      goal: { kind: 'and', parts: [...steps.map((step) => step.goal), ...nots] },
      shape: { kind: 'all', parts: steps.map((step) => step.shape) },
    };
  }

  #or(branches: readonly Pattern[], scope: Scope): Step {
    const steps = branches.map((branch) => this.pattern(branch, scope));
    return {
      goal: { kind: 'or', branches: steps.map((step) => step.goal) },
      shape: { kind: 'oneOf', branches: steps.map((step) => step.shape) },
    };
  }

  /** `scope` holds what the patterns beside it bind; the variables it does not hold are the `not`'s own. */
  #not(pattern: NotPattern, scope: Scope): NotGoal {
    const [negated] = pattern.targets;
    const names = new Set(variablesOf(negated));
    const outer = [...scope].filter(([name]) => names.has(name)).map(([, slot]) => slot);
    return { kind: 'not', goal: this.pattern(negated, scope).goal, outer };
  }

  #link(pattern: LinkPattern, scope: Scope): Step {
    const goals: Goal[] = [];
    const slot = this.#linkGoals(pattern, scope, goals, this.toplevelOnly);
    const [goal, ...nested] = goals;
    return {
      goal: nested.length === 0 && goal !== undefined ? goal : { kind: 'and', parts: goals },
      shape: { kind: 'one', slot },
    };
  }

  #linkGoals(pattern: LinkPattern, scope: Scope, goals: Goal[], toplevel: boolean): Slot {
    const self = this.#newSlot(unbound);
    const nested: Goal[] = [];
    const targets = pattern.targets.map((term) => this.#term(term, scope, nested));
    goals.push({ kind: 'link', self, type: pattern.type, targets, toplevel }, ...nested);
    return self;
  }

  #term(term: Term, scope: Scope, goals: Goal[]): Slot {
    if (term.atom_type === 'variable') return this.#variable(term.name, scope);
    if (term.atom_type === 'link') return this.#linkGoals(term, scope, goals, false);
    const atom = this.#lookUp(term);
    if (atom === undefined) goals.push({ kind: 'never' });
    return atom === undefined ? this.#newSlot(unbound) : this.#constant(atom);
  }

  #knownAtom(atom: AtomId | undefined): Step {
    const self = this.#newSlot(unbound);
    return {
      goal: atom === undefined ? { kind: 'never' } : { kind: 'atom', self, atom },
      shape: { kind: 'one', slot: self },
    };
  }

  #lookUp(term: Exclude<Term, LinkPattern | { atom_type: 'variable' }>): AtomId | undefined {
    return this.table.find(term.atom_type === 'atom' ? term.handle : nodeHandle(term.type, term.name));
  }

  #variable(name: string, scope: Scope): Slot {
    const slot = scope.get(name) ?? this.#newSlot(unbound);
    scope.set(name, slot);
    return slot;
  }

  #constant(atom: AtomId): Slot {
    const slot = this.#constants.get(atom) ?? this.#newSlot(atom);
    this.#constants.set(atom, slot);
    return slot;
  }

  #newSlot(atom: AtomId): Slot {
    if (this.initial.length === slotsMax)
      throw new QueryTooLargeError(`more than ${slotsMax} links, nodes and variables`);
    return this.initial.push(atom) - 1;
  }
}

function isConjunction(query: Query): query is Conjunction {
  return Array.isArray(query);
}

/** The variables that an answer of the pattern may bind. */
function variablesOf(pattern: Pattern | NotPattern | Term): string[] {
  switch (pattern.atom_type) {
    case 'variable':
      return [pattern.name];
    case 'link':
    case 'and':
    case 'or':
      return pattern.targets.flatMap(variablesOf);
    default:
      return [];
  }
}
