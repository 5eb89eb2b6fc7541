import type { NodeView } from '@das/contracts';
import { limitFindings, sandboxFindings } from './doctor-scripts.js';

const node = (name: string, more: Partial<NodeView>): NodeView =>
  ({ name, state: 'alive', slots: 1, ...more }) as unknown as NodeView;

describe('das doctor', () => {
  it('says which limits hold for all processes of a worker, and what it means where they do not', () => {
    const found = limitFindings([
      node('a', { grouped: ['processes', 'memory'] }),
      node('b', { grouped: [] }),
      node('c', { grouped: ['memory'] }),
      node('d', { grouped: ['processes'] }),
      node('old', {}),
      node('gone', { grouped: [], state: 'dead' }),
    ]);
    expect(found.map(({ level, says }) => [level, says.split(' ').at(-1)])).toEqual([
      ['ok', 'a'],
      ['warning', 'c'],
      ['warning', 'd'],
      ['warning', 'b'],
    ]);
    const memory = 'memory is bounded for each process alone';
    expect(found.map(({ says }) => says.includes(memory))).toEqual([false, false, true, true]);
    expect(found.map(({ says }) => says.includes('processes are counted by account'))).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('warns of nodes without the full sandbox, by name', () => {
    const found = sandboxFindings([node('a', { sandbox: 'bwrap' }), node('b', { sandbox: 'none' })]);
    expect(found).toMatchObject([
      { level: 'ok', says: 'bwrap on a' },
      { level: 'warning', says: expect.stringMatching(/DAS_SANDBOX=none.* on b$/) },
    ]);
  });
});
