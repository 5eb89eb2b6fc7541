import { hearAlive } from './alive.js';
import type { MessageOf } from './codec/message.js';
import { hearDead } from './dead.js';
import { isPresent } from './member-table.js';
import { type Turn, nextIncarnation } from './node.js';
import { pushPullScale } from './timing.js';
import type { Address } from './types.js';

/** Announces ourselves and sets the clocks, each that sends with a random phase, so that a cluster does not beat in step. */
export function start(turn: Turn, address: Address, meta: Uint8Array): void {
  const { node, now, rng } = turn;
  node.self = { ...node.self, ...address, meta };
  hearAlive(turn, ownAlive(turn), {});
  const { probeIntervalMs, gossipIntervalMs, gossipNodes, pushPullIntervalMs, queueCheckIntervalMs } = node.config;
  node.timers.set(now + rng() * probeIntervalMs, { kind: 'probeTick' });
  if (gossipIntervalMs > 0 && gossipNodes > 0) node.timers.set(now + rng() * gossipIntervalMs, { kind: 'gossipTick' });
  if (queueCheckIntervalMs > 0) node.timers.set(now + queueCheckIntervalMs, { kind: 'queueCheckTick' });
  if (pushPullIntervalMs === 0) return;
  const first = now + rng() * pushPullIntervalMs + pushPullScale(pushPullIntervalMs, node.table.size);
  node.timers.set(first, { kind: 'pushPullTick' });
}

/** New attributes: an `alive` of the next incarnation carries them. */
export function update(turn: Turn, meta: Uint8Array, token: number): void {
  const { node } = turn;
  node.self = { ...node.self, meta };
  const alive = ownAlive(turn);
  const told = awaited(turn, token);
  hearAlive(turn, alive, told);
  const ignored = node.table.get(alive.node)?.incarnation !== alive.incarnation;
  // As after leaving: no broadcast carries the token, so nothing else would end the wait.
  if (ignored && told.token !== undefined) node.doneTokens.push(token);
}

/** We say ourselves that we are dead, which everyone reads as left. Once. */
export function leave(turn: Turn, token: number): void {
  const { node } = turn;
  const { name } = node.config;
  // A node that its own delegate refused is not in the table: there is nobody to say goodbye for.
  if (node.leaving || node.table.get(name) === undefined) {
    node.leaving = true;
    node.doneTokens.push(token);
    return;
  }
  node.leaving = true;
  const message = { kind: 'dead', node: name, incarnation: node.incarnation, from: name } as const;
  hearDead(turn, message, awaited(turn, token).token);
}

function ownAlive({ node }: Turn): MessageOf<'alive'> {
  const { name, addr, port, meta, vsn } = node.self;
  return { kind: 'alive', node: name, incarnation: nextIncarnation(node), addr, port, meta, vsn };
}

/** The token for a broadcast; with nobody to hear it, it is done at once. */
function awaited({ node }: Turn, token: number): { readonly token?: number } {
  const someone = node.table.all.some((member) => member.name !== node.config.name && isPresent(member));
  if (someone) return { token };
  node.doneTokens.push(token);
  return {};
}
