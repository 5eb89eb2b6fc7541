import { animals, link } from '../testing/animals.js';
import { answers, type QueryOptions } from './answers.js';
import { AtomTable } from './atom-table.js';
import { QueryTooLargeError } from './errors.js';
import { nodeHandle } from './handles.js';
import { loadMetta } from './metta.js';
import { plan } from './plan.js';
import type { Pattern, Query } from './query.js';
import { Search } from './search.js';

const table = animals();

/** Each answer as the names its variables stand for: `monkey`, `rhino triceratops`. */
function ask(query: Query, options?: QueryOptions, from = table): string[] {
  return [...answers(from, query, options)].map(({ assignment }) =>
    assignment.map(([, id]) => nameOf(from, id)).join(' '),
  );
}

function nameOf(from: AtomTable, id: number): string {
  const atom = from.atom(id);
  return atom.kind === 'node' ? atom.name : atom.type;
}

const or = (...targets: Pattern[]): Pattern => ({ atom_type: 'or', targets });
const not = (pattern: Pattern) => ({ atom_type: 'not', targets: [pattern] }) as const;

describe('published answers', () => {
  it.each<[string, Query, QueryOptions, number, ...string[]]>([
    ['q1', link('Similarity', '$v1', '$v2'), {}, 14],
    ['q2', link('Similarity', 'human', '$v1'), {}, 3, 'monkey', 'chimp', 'ent'],
    ['q3', [link('Similarity', '$v1', 'human'), link('Inheritance', '$v1', 'plant')], {}, 1, 'ent'],
    ['q4', [link('Similarity', '$v1', '$v2'), link('Similarity', '$v2', '$v3')], {}, 26],
    [
      'q4 with unique assignments and values',
      [link('Similarity', '$v1', '$v2'), link('Similarity', '$v2', '$v3')],
      { uniqueAssignment: true, uniqueValue: true },
      12,
    ],
    [
      'q5',
      or(link('Similarity', '$v1', 'human'), link('Similarity', '$v1', 'snake')),
      {},
      5,
      'monkey',
      'chimp',
      'ent',
      'earthworm',
      'vine',
    ],
    ['q6', or(link('Similarity', '$v1', 'human'), link('Similarity', '$v1', 'chimp')), { uniqueAssignment: true }, 4],
    ['q6 with doubles', or(link('Similarity', '$v1', 'human'), link('Similarity', '$v1', 'chimp')), {}, 5],
    [
      'q7, chimp by its handle',
      or(
        link('Similarity', '$v1', 'human'),
        link('Similarity', '$v1', { atom_type: 'atom', handle: nodeHandle('Concept', 'chimp') }),
      ),
      { uniqueAssignment: true },
      4,
    ],
    ['q15', [link('Similarity', '$v1', 'human'), not(link('Inheritance', '$v1', 'plant'))], {}, 2, 'monkey', 'chimp'],
    ['g1', link('Inheritance', '$v1', 'plant'), {}, 2, 'vine', 'ent'],
    ['g2', link('Inheritance', '$v1', 'mammal'), {}, 4, 'human', 'monkey', 'chimp', 'rhino'],
    ['g3', link('Inheritance', '$v1', 'animal'), {}, 3, 'mammal', 'reptile', 'earthworm'],
    ['g3, reptile', link('Inheritance', '$v1', 'reptile'), {}, 2, 'snake', 'dinosaur'],
    [
      'g4',
      [link('Inheritance', '$v1', 'mammal'), link('Inheritance', '$v2', 'dinosaur'), link('Similarity', '$v1', '$v2')],
      {},
      1,
      'rhino triceratops',
    ],
    [
      'g5',
      [link('Similarity', '$v1', '$v2'), link('Similarity', '$v2', '$v3'), link('Similarity', '$v3', '$v1')],
      {},
      6,
      'human monkey chimp',
      'human chimp monkey',
      'monkey human chimp',
      'monkey chimp human',
      'chimp human monkey',
      'chimp monkey human',
    ],
    ['g6', [link('Inheritance', '$v1', '$v2'), link('Inheritance', '$v2', '$v3')], {}, 7],
    [
      'g7',
      [link('Similarity', '$v1', '$v2'), link('Inheritance', '$v1', '$v3'), link('Inheritance', '$v2', '$v3')],
      {},
      6,
    ],
  ])('%s', (_name, query, options, count, ...expected) => {
    const found = ask(query, options);
    expect(found).toHaveLength(count);
    if (expected.length > 0) expect(found.sort()).toEqual(expected.sort());
  });

  it('g9: follows Inheritance from human to animal', () => {
    expect(ask([link('Inheritance', 'human', '$v1'), link('Inheritance', '$v1', '$v2')])).toEqual(['mammal animal']);
  });

  it('n1, n2: finds links inside of links', () => {
    const odd = new AtomTable();
    const pairs = ['"earthworm" "snake"', '"triceratops" "rhino"', '"vine" "snake"', '"ent" "human"'];
    const swapped = pairs.map((pair) => pair.split(' ').reverse().join(' '));
    const similar = [...pairs, ...swapped].map((pair) => `(Similarity ${pair}) (Odd (Similarity ${pair}))`);
    loadMetta([...similar, '(Odd (Inheritance "ent" "plant"))'].join('\n'), odd);
    const human = { atom_type: 'node', type: 'Symbol', name: 'human' } as const;
    const inner = link('Similarity', '$v1', '$v2');
    expect(ask(link('Odd', inner), {}, odd)).toHaveLength(8);
    expect(ask([link('Similarity', '$v1', human), link('Odd', inner)], {}, odd)).toEqual(['ent human']);
    expect(ask(link('Inheritance', '$v1', '$v2'), { toplevelOnly: true }, odd)).toEqual([]);
    expect(ask(link('Odd', link('Inheritance', '$v1', '$v2')), { toplevelOnly: true }, odd)).toEqual(['ent plant']);
  });
});

describe('answers', () => {
  it('has one answer without assignment where a query without variables holds, and none where not', () => {
    expect([...answers(table, link('Similarity', 'human', 'monkey'))]).toHaveLength(1);
    expect([...answers(table, link('Similarity', 'human', 'vine'))]).toEqual([]);
    expect([...answers(table, link('Similarity', '$v1', 'unicorn'))]).toEqual([]);
    expect([...answers(table, { atom_type: 'node', type: 'Concept', name: 'ent' })]).toHaveLength(1);
    expect([...answers(table, { atom_type: 'node', type: 'Concept', name: 'unicorn' })]).toEqual([]);
  });

  it('binds a variable that occurs twice to one value', () => {
    expect(ask(link('Similarity', '$v1', '$v1'))).toEqual([]);
  });

  it('matches links of the same number of targets only', () => {
    expect(ask(link('Similarity', '$v1'))).toEqual([]);
    expect(ask(link('Similarity', '$v1', '$v2', '$v3'))).toEqual([]);
  });

  it('assigns only the variables of the alternative taken', () => {
    const query = or(link('Inheritance', '$v1', 'plant'), link('Similarity', 'rhino', '$v2'));
    const names = [...answers(table, query)].map(({ assignment }) => assignment.map(([name]) => name));
    expect(names).toEqual([['v1'], ['v1'], ['v2']]);
  });

  it('lists the matched links of a conjunction in the order of the query, whatever the join does', () => {
    const query = [
      link('Similarity', '$v1', '$v2'),
      or(link('Inheritance', '$v1', 'plant')),
      link('Similarity', '$v2', 'chimp'),
    ];
    const [answer] = [...answers(table, query)];
    const types = (answer?.matched as number[]).map((id) => table.atom(id).type);
    expect(types).toEqual(['Similarity', 'Inheritance', 'Similarity']);
  });

  it('takes a variable that only a not has for "any", wherever the not stands', () => {
    const parentless = [link('Inheritance', '$v1', 'animal'), not(link('Inheritance', '$v2', '$v1'))];
    expect(ask(parentless)).toEqual(['earthworm']);
    expect(ask([...parentless].reverse())).toEqual(['earthworm']);
    // $v2 of the inner conjunction is not the $v2 outside.
    const nested = [{ atom_type: 'and', targets: parentless } as const, link('Similarity', '$v1', '$v2')];
    expect(ask(nested)).toEqual(['earthworm snake']);
    expect(ask([...nested].reverse())).toEqual(['earthworm snake']);
  });

  it('joins by index: a bound variable leaves few links to look at', () => {
    const query = [link('Similarity', '$v1', '$v2'), link('Inheritance', '$v2', 'dinosaur')];
    const planned = plan(query, table, false);
    // One Inheritance, then the one Similarity that ends in triceratops; all 14 would be beyond the limit.
    expect([...new Search(table, planned.initial, 2).solve([planned.goal])]).toHaveLength(1);
  });

  it('gives up a query that looks at too much', () => {
    const planned = plan([link('Similarity', '$a', '$b'), link('Similarity', '$c', '$d')], table, false);
    expect(() => [...new Search(table, planned.initial, 100).solve([planned.goal])]).toThrow(QueryTooLargeError);
  });

  it('refuses a query of too many parts', () => {
    const wide = or(...Array.from({ length: 300 }, () => link('Similarity', 'human', '$v1')));
    const many = Array.from({ length: 3 }, () => wide);
    expect(() => plan(many, table, false)).toThrow(QueryTooLargeError);
  });
});
