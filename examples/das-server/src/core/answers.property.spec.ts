import fc from 'fast-check';
import { animals, concept, link, variable } from '../testing/animals.js';
import { answers } from './answers.js';
import type { AtomTable } from './atom-table.js';
import type { LinkPattern, NotPattern, Term } from './query.js';

/** What the search finds cleverly, found stupidly: try every link for every pattern. */
function naive(table: AtomTable, positive: readonly LinkPattern[], negative: readonly LinkPattern[]): string[] {
  let found: Map<string, number>[] = [new Map()];
  for (const pattern of positive) found = found.flatMap((values) => extend(table, pattern, values));
  return found
    .filter((values) => !negative.some((pattern) => extend(table, pattern, values).length > 0))
    .map((values) => JSON.stringify([...values].sort()));
}

function extend(table: AtomTable, pattern: LinkPattern, values: Map<string, number>): Map<string, number>[] {
  return table.allLinks().flatMap((id) => {
    const { type, targets } = table.link(id);
    const next = new Map(values);
    return type === pattern.type && pattern.targets.every((term, i) => fits(table, term, targets[i], next))
      ? [next]
      : [];
  });
}

function fits(table: AtomTable, term: Term, target: number | undefined, values: Map<string, number>): boolean {
  if (target === undefined) return false;
  const atom = table.atom(target);
  if (term.atom_type !== 'variable')
    return term.atom_type === 'node' && atom.kind === 'node' && atom.name === term.name;
  const held = values.get(term.name) ?? target;
  values.set(term.name, held);
  return held === target;
}

describe('answers', () => {
  const table = animals();
  const term = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('v1', 'v2', 'v3').map(variable) },
    { weight: 1, arbitrary: fc.constantFrom('human', 'snake', 'mammal', 'unicorn').map(concept) },
  );
  const pattern = fc
    .tuple(fc.constantFrom('Similarity', 'Inheritance'), term, term)
    .map(([type, from, to]) => link(type, from, to));

  it('are those of the naive search, for any conjunction with negations', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.array(pattern, { maxLength: 2 }),
        (positive, negative) => {
          const nots = negative.map((one): NotPattern => ({ atom_type: 'not', targets: [one] }));
          const found = [...answers(table, [...nots, ...positive])];
          const keys = found.map(({ assignment }) => JSON.stringify([...assignment].sort()));
          expect(keys.sort()).toEqual(naive(table, positive, negative).sort());
        },
      ),
      { numRuns: 300 },
    );
  });
});
