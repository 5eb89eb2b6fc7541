import { isAddr } from './address.js';
import { hearAlive } from './alive.js';
import { noBytes } from './codec/bytes.js';
import type { NodeState, PushPull } from './codec/stream-message.js';
import { hearDead } from './dead.js';
import type { Node, Turn } from './node.js';
import { pickRandom } from './random.js';
import { hearSuspect } from './suspect.js';
import type { Member, MemberState } from './types.js';
import { versionProblem } from './versions.js';

/** Numbers of the states on the wire. */
const wireStates: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left'];

/** Exchanges everything with one random member: what gossip missed is found at the latest now (memberlist `state.go`, pushPull). */
export function pushPull(turn: Turn): void {
  const { node, rng } = turn;
  const isPeer = (member: Member): boolean => member.state === 'alive' && member.name !== node.config.name;
  const [peer] = pickRandom(node.table.all, 1, rng, isPeer);
  if (peer !== undefined) turn.effects.push({ kind: 'pushPull', to: peer, node: peer.name });
}

/** Our side of an exchange: the whole table, the dead and the left included, and the delegate's state. */
export function localPushPull(node: Node, join: boolean): PushPull {
  const states = node.table.all.map(({ state, stateChange: _, ...member }) => ({
    ...member,
    state: wireStates.indexOf(state),
  }));
  return { kind: 'pushPull', join, states, userState: node.hooks.localState?.(join) ?? noBytes };
}

/** Takes over what another node told of all members. All or nothing: versions and the delegate may refuse the whole. */
export function merge(turn: Turn, remote: PushPull): void {
  const { node, effects } = turn;
  const members = remote.states.map((state) => remoteMember(turn, state));
  const reason =
    versionProblem(members.map(versioned), node.table.all.map(versioned)) ?? refusal(node, remote, members);
  if (reason !== undefined) {
    effects.push({ kind: 'mergeRefused', reason, join: remote.join });
    return;
  }
  for (const state of remote.states) mergeState(turn, state);
  if (remote.userState.length > 0) {
    effects.push({ kind: 'remoteState', payload: remote.userState, join: remote.join });
  }
}

const versioned = ({ name, vsn, state }: Member): { name: string; vsn: Uint8Array; alive: boolean } => ({
  ...{ name, vsn, alive: state === 'alive' },
});

function refusal(node: Node, remote: PushPull, members: readonly Member[]): string | undefined {
  return remote.join ? node.hooks.mergeProblem?.(members) : undefined;
}

function remoteMember(turn: Turn, state: NodeState): Member {
  return {
    name: state.name,
    addr: isAddr(state.addr) ? state.addr : noBytes,
    port: state.port === 0 ? turn.node.config.bindPort : state.port,
    meta: state.meta ?? noBytes,
    vsn: state.vsn ?? noBytes,
    incarnation: state.incarnation,
    state: wireStates[state.state] ?? 'dead',
    stateChange: turn.now,
  };
}

/** A remote death is only a suspicion here: the member gets its chance to refute among us too. */
function mergeState(turn: Turn, state: NodeState): void {
  const { name, incarnation, addr, port, meta, vsn } = state;
  const from = turn.node.config.name;
  switch (wireStates[state.state]) {
    case 'alive':
      return hearAlive(turn, { kind: 'alive', node: name, incarnation, addr, port, meta, vsn });
    case 'left':
      return hearDead(turn, { kind: 'dead', node: name, incarnation, from: name });
    case 'suspect':
    case 'dead':
      return hearSuspect(turn, { kind: 'suspect', node: name, incarnation, from });
    case undefined:
      return;
  }
}
