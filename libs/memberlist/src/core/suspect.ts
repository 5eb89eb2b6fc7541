import { broadcast } from './broadcast.js';
import type { MessageOf } from './codec/message.js';
import { probePeriod } from './config.js';
import { hearDead } from './dead.js';
import type { Node, Turn } from './node.js';
import { refute } from './refute.js';
import { Suspicion } from './suspicion.js';
import { suspicionTimeout } from './timing.js';

/** Someone accuses a member of not answering (memberlist `state.go`, suspectNode; SWIM §4.2; Lifeguard §IV-B). */
export function hearSuspect(turn: Turn, message: MessageOf<'suspect'>): void {
  const { node } = turn;
  const member = node.table.get(message.node);
  if (member === undefined || message.incarnation < member.incarnation) return;
  const suspicion = node.suspicions.get(member.name);
  if (suspicion !== undefined) {
    if (!suspicion.confirm(message.from)) return;
    broadcast(turn, member.name, message);
    armSuspicion(turn, member.name, suspicion);
    return;
  }
  if (member.state !== 'alive') return;
  if (member.name === node.config.name) return refute(turn, message.incarnation);
  broadcast(turn, member.name, message);
  const suspected = { ...member, incarnation: message.incarnation, state: 'suspect', stateChange: turn.now } as const;
  node.table.update(suspected);
  const started = startSuspicion(node, message.from, turn.now);
  node.suspicions.set(member.name, started);
  armSuspicion(turn, member.name, started);
  turn.effects.push({ kind: 'member', change: 'suspect', member: suspected });
}

/** Few members cannot confirm each other's accusations: then nobody waits for them. */
function startSuspicion(node: Node, from: string, startedAt: number): Suspicion {
  const { suspicionMult, suspicionMaxTimeoutMult } = node.config;
  const n = node.table.size;
  const wanted = suspicionMult - 2;
  const k = n - 2 < wanted ? 0 : wanted;
  const minMs = suspicionTimeout(suspicionMult, n, probePeriod(node.config));
  return new Suspicion({ from, k, minMs, maxMs: suspicionMaxTimeoutMult * minMs, startedAt });
}

function armSuspicion(turn: Turn, name: string, suspicion: Suspicion): void {
  const { timers, suspicionTimers } = turn.node;
  const at = Math.max(suspicion.deadline, turn.now);
  if ((suspicionTimers.get(name) ?? Infinity) <= at) return;
  suspicionTimers.set(name, at);
  timers.set(at, { kind: 'suspicion', name });
}

/** A suspicion's timer fired: the member is dead, unless the suspicion is over or another one has begun. */
export function endSuspicion(turn: Turn, name: string, at: number): void {
  const { node } = turn;
  if (node.suspicionTimers.get(name) === at) node.suspicionTimers.delete(name);
  const suspicion = node.suspicions.get(name);
  const member = node.table.get(name);
  if (suspicion === undefined || member?.state !== 'suspect') return;
  if (suspicion.deadline > turn.now) return armSuspicion(turn, name, suspicion);
  hearDead(turn, { kind: 'dead', node: name, incarnation: member.incarnation, from: node.config.name });
}
