import { send, takeBroadcasts, wireOverheadOf } from './broadcast.js';
import { compoundOverhead } from './codec/compound.js';
import { isPresent } from './member-table.js';
import type { Node, Turn } from './node.js';
import { pickRandom } from './random.js';
import type { Member } from './types.js';

/** Tells a few random members what is queued; each gets its own selection (memberlist `state.go`, gossip). */
export function gossip(turn: Turn): void {
  const { node, rng } = turn;
  const { gossipNodes, udpBufferBytes } = node.config;
  const targets = pickRandom(node.table.all, gossipNodes, rng, (member) => isTold(turn, member));
  const room = udpBufferBytes - compoundOverhead.header - wireOverheadOf(node);
  for (const target of targets) {
    const messages = takeBroadcasts(node, compoundOverhead.part, room);
    if (messages.length === 0) return;
    send(turn, target, messages, target);
  }
}

/** An idle node wakes up a third less when its gossip rests. A delegate, though, has to be asked every time. */
export function gossipRests({ queue, hooks }: Node): boolean {
  return queue.length === 0 && hooks.userBroadcasts === undefined;
}

/** The lately dead are told too: one that lives learns so that it has to refute. */
function isTold({ node, now }: Turn, member: Member): boolean {
  if (member.name === node.config.name) return false;
  if (isPresent(member)) return true;
  return member.state === 'dead' && now - member.stateChange <= node.config.gossipToTheDeadMs;
}
