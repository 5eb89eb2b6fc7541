import { AtomTable } from './atom-table.js';
import { answers } from './answers.js';
import { generate } from './generate.js';
import { seededRng } from './rng.js';
import { link } from '../testing/animals.js';

function generated(similarities: number, seed = 1): AtomTable {
  const table = new AtomTable();
  generate(table, similarities, seededRng(seed));
  return table;
}

function handles(table: AtomTable): string[] {
  return table.allLinks().map((id) => table.atom(id).handle);
}

describe('generate', () => {
  it.each([1, 2, 31, 32, 33, 1000])('makes exactly %i similarities', (wanted) => {
    const table = generated(wanted);
    expect(table.linksOfType('Similarity')).toHaveLength(wanted);
    expect([...answers(table, link('Similarity', '$v1', '$v2'))]).toHaveLength(wanted);
    expect(table.linksOfType('Inheritance')).toHaveLength(table.nodeCount - 1);
  });

  it('makes the same base from the same seed, another from another', () => {
    expect(handles(generated(500))).toEqual(handles(generated(500)));
    expect(handles(generated(500, 2))).not.toEqual(handles(generated(500)));
  });

  it('states what is pinned here: a change would break recorded results', () => {
    const table = generated(8);
    expect(table.atom(0)).toMatchObject({ type: 'Concept', name: 'babababa' });
    expect(table.atom(1)).toMatchObject({ type: 'Concept', name: 'libalagi' });
    expect(handles(table).at(-1)).toBe('b69f8b642115ce3cf9e4686ad80ff085');
  });
});
