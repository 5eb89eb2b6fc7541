import type { NodeId } from '@das/kernel';
import type { Turn } from '../office/turn.js';
import type { RaftMessage, RaftState } from './types.js';
import { majorityOf, votersHash } from './voters.js';

type RaftTurn = Turn<RaftState>;

const named = (voters: readonly NodeId[]): string => (voters.length === 0 ? 'none' : [...voters].sort().join(', '));

/** Whether a letter is of a voter of the same list: others do not count. Another list is said once per sender and list. */
export function sameList(turn: RaftTurn, { from, voters, list = [] }: RaftMessage): boolean {
  const { config, strangers, agreed } = turn.state;
  const same = voters === votersHash(config.voters);
  if (same && agreed.has(from)) return true;
  const heard = { agreed: new Set(agreed), strangers: new Map(strangers) };
  if (same) {
    heard.agreed.add(from);
    heard.strangers.delete(from);
  } else {
    heard.agreed.delete(from);
    heard.strangers.set(from, voters);
  }
  if (!same && strangers.get(from) !== voters) tellStranger(turn, from, list);
  turn.change(heard);
  return same;
}

function tellStranger(turn: RaftTurn, from: NodeId, list: readonly NodeId[]): void {
  const { self, voters } = turn.state.config;
  const message =
    `${from} goes by another list of voters (${named(list)}) than ${self} (${named(voters)}): ` +
    `neither counts the other's votes; set the same DAS_ELECTION_VOTERS on every node`;
  turn.emit({ kind: 'tell', level: 'warn', message });
}

/**
 * A leader tells by whose votes it leads. Elected by another list, it proves that a majority of that list goes by it: when that is more
 * nodes than are known to go by ours, ours is the odd one, and this node takes no part, also after that leader, until it hears a leader of
 * its own list. A node alone with its list could make itself a majority otherwise. The store's terms keep all of it safe; this keeps it calm.
 */
export function compareLists(turn: RaftTurn, leader: NodeId, theirs: readonly NodeId[]): void {
  const { config, agreed, misfit } = turn.state;
  const { voters, self } = config;
  if (votersHash(theirs) === votersHash(voters)) return turn.change({ misfit: undefined });
  const ours = new Set(agreed).add(self).size;
  if (majorityOf(theirs) <= ours) return;
  turn.change({ misfit: { leader, voters: theirs } });
  const message = misfitWords(turn.state);
  if (message !== undefined && (misfit === undefined || votersHash(misfit.voters) !== votersHash(theirs)))
    turn.emit({ kind: 'tell', level: 'error', message });
}

/** Both lists, and what to change. */
export function misfitWords({ config, misfit }: RaftState): string | undefined {
  if (misfit === undefined) return undefined;
  const { self, voters } = config;
  return (
    `${self} goes by the voters ${named(voters)}, but ${misfit.leader} was elected by ${named(misfit.voters)}: ` +
    `${self} neither votes nor leads; set the same DAS_ELECTION_VOTERS on every node, and start ${self} again`
  );
}
