import type { Turn } from '../office/turn.js';
import { misfitWords } from './lists.js';
import type { RaftState } from './types.js';
import { majorityOf } from './voters.js';

/** Lost ballots after which it is said that, and by whom, this node is kept from leading. */
const lostBallotsMax = 2;

/** Says once, and again when it changes, why there is no majority. */
export function whoBlocks(turn: Turn<RaftState>): void {
  const blocked = reason(turn.state);
  if (blocked === turn.state.blocked) return;
  turn.change({ blocked });
  // A misfit was told when it was found.
  if (blocked !== undefined && turn.state.misfit === undefined)
    turn.emit({ kind: 'tell', level: 'warn', message: blocked });
}

function reason(state: RaftState): string | undefined {
  const { ballot, recovery, lostBallots, config, strangers } = state;
  const { voters, self } = config;
  if (state.misfit !== undefined) return misfitWords(state);
  const list = [...voters].sort().join(', ');
  if (recovery !== undefined) {
    if (recovery.why === 'unread') return undefined;
    const missing = [...voters].sort().filter((node) => node !== self && !recovery.told.has(node));
    const why = recovery.why === 'empty' ? 'is empty' : 'cannot be read';
    const whom = missing.length === 0 ? 'their answers do not suffice yet' : `not heard: ${missing.join(', ')}`;
    return `the vote store of ${self} ${why}, so it must learn from the other voters (${list}) what it may have promised; ${whom}`;
  }
  if (ballot === undefined || lostBallots < lostBallotsMax) return undefined;
  const against = [...voters].sort().filter((node) => !ballot.granted.has(node));
  const words = against.map((node) => {
    if (strangers.has(node)) return `${node} goes by another list of voters`;
    return `${node} ${ballot.refused.get(node) ?? 'does not answer'}`;
  });
  const needed = majorityOf(voters);
  return `no leader: ${needed} of ${voters.length} voters (${list}) are needed, ${ballot.granted.size} agreed; ${words.join('; ')}`;
}
