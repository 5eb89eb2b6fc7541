import type { Handle } from './handles.js';

export interface NodePattern {
  readonly atom_type: 'node';
  readonly type: string;
  readonly name: string;
}

export interface VariablePattern {
  readonly atom_type: 'variable';
  readonly name: string;
}

/** Our extension: an atom by its handle. */
export interface AtomPattern {
  readonly atom_type: 'atom';
  readonly handle: Handle;
}

export interface LinkPattern {
  readonly atom_type: 'link';
  readonly type: string;
  readonly targets: readonly Term[];
}

/** What may stand among the targets of a link. */
export type Term = NodePattern | VariablePattern | AtomPattern | LinkPattern;

/** The same as a list of patterns. */
export interface AndPattern {
  readonly atom_type: 'and';
  readonly targets: Conjunction;
}

/** Our extension: the answers of every alternative, one alternative after the other. */
export interface OrPattern {
  readonly atom_type: 'or';
  readonly targets: readonly Pattern[];
}

/**
 * Our extension: drops the answers of the positive patterns beside it that have a match here. Variables that those do
 * not bind mean "any".
 */
export interface NotPattern {
  readonly atom_type: 'not';
  readonly targets: readonly [Pattern];
}

/** What may be asked. */
export type Pattern = NodePattern | AtomPattern | LinkPattern | AndPattern | OrPattern;

/** What a conjunction joins; at least one is not a `not`. */
export type Conjunction = readonly (Pattern | NotPattern)[];

export type Query = Pattern | Conjunction;
