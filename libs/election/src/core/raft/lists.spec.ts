import type { NodeId } from '@das/kernel';
import { RaftProbe, node, voters } from '../../sim/probe.js';
import type { ElectionEffect } from '../types.js';
import { raft } from './raft.js';

const listOf = (...names: string[]): NodeId[] => names.map(node);
const hears = (probe: RaftProbe, leader: string, term: number, by: readonly NodeId[] | undefined) =>
  probe.feed({
    kind: 'message',
    message: { kind: 'coordinator', leader: node(leader), term, resigned: false, voters: by },
  });
const misfitOf = (probe: RaftProbe) => raft.leaderOf(probe.state, probe.now).misfit;
const errors = (effects: readonly ElectionEffect[]) =>
  effects.flatMap((e) => (e.kind === 'tell' && e.level === 'error' ? [e.message] : []));

/** Node `b`, whose list is a, b, c, hears who was elected by which list. */
describe('a leader that was elected by another list of voters', () => {
  it('is named with both lists, once, and what to change', () => {
    const probe = new RaftProbe().ready();
    const [text, ...more] = errors(hears(probe, 'x', 1, listOf('x', 'y', 'z')));
    expect([text, more]).toEqual([
      'b goes by the voters a, b, c, but x was elected by x, y, z: b neither votes nor leads; ' +
        'set the same DAS_ELECTION_VOTERS on every node, and start b again',
      [],
    ]);
    expect(errors(hears(probe, 'x', 1, listOf('z', 'y', 'x')))).toEqual([]);
    expect(raft.leaderOf(probe.state, probe.now)).toMatchObject({ leader: 'x', misfit: text });
  });

  it('keeps this node from voting and from standing, after it too, until a leader of the own list is heard', () => {
    const probe = new RaftProbe().ready();
    hears(probe, 'x', 1, listOf('x', 'y', 'z'));
    probe.at(probe.now + 10_000);
    expect(probe.timer('election').filter(({ kind }) => kind === 'send')).toEqual([]);
    expect(probe.state.blocked).toContain('neither votes nor leads');
    expect(probe.from('a', { kind: 'vote', round: 2 })).toEqual([]);
    hears(probe, 'a', 2, voters);
    expect(misfitOf(probe)).toBeUndefined();
    probe.at(probe.now + 10_000);
    expect(probe.from('a', { kind: 'vote', round: 2 }).map(({ kind }) => kind)).toContain('saveVote');
  });

  it('is itself the odd one when as many are known to go by the own list', () => {
    const alone = new RaftProbe().ready();
    hears(alone, 'x', 1, listOf('x'));
    expect(misfitOf(alone)).toBeUndefined();
    const joined = new RaftProbe().ready();
    joined.from('a', { kind: 'preVote', round: 2 });
    hears(joined, 'x', 1, listOf('x', 'y', 'z'));
    expect(misfitOf(joined)).toBeUndefined();
    joined.from('a', { kind: 'preVote', round: 2 }, 'other');
    hears(joined, 'x', 1, listOf('x', 'y', 'z'));
    expect(misfitOf(joined)).toContain('neither votes nor leads');
  });

  it('means nothing when it is the own list in another order, or is not told', () => {
    const probe = new RaftProbe().ready();
    hears(probe, 'c', 1, listOf('c', 'b', 'a'));
    hears(probe, 'c', 1, undefined);
    expect([misfitOf(probe), errors(hears(probe, 'c', 1, voters))]).toEqual([undefined, []]);
  });
});
