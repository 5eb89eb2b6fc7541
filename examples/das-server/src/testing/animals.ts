import { resolve } from 'node:path';
import type { AtomTable } from '../core/atom-table.js';
import type { LinkPattern, NodePattern, Term, VariablePattern } from '../core/query.js';
import { buildTable } from '../knowledge-base.js';

/** The knowledge base of the shipped file. Specs run as CommonJS, hence no `import.meta`. */
export function animals(): AtomTable {
  return buildTable({ files: [resolve(__dirname, '../../animals.metta')], similarities: 0, seed: 1 });
}

export function concept(name: string): NodePattern {
  return { atom_type: 'node', type: 'Concept', name };
}

export function variable(name: string): VariablePattern {
  return { atom_type: 'variable', name };
}

/** `link('Similarity', '$v1', 'human')`: a text with `$` is a variable, one without a concept. */
export function link(type: string, ...targets: (string | Term)[]): LinkPattern {
  return {
    atom_type: 'link',
    type,
    targets: targets.map((target) => (typeof target === 'string' ? term(target) : target)),
  };
}

function term(text: string): Term {
  return text.startsWith('$') ? variable(text.slice(1)) : concept(text);
}
