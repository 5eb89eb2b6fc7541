import type { ExecutorBeat, HeldAttempt } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import type { AssignerState, LiveAttempt, NodeWork } from './assigner-state.js';
import { endAttempt } from './assigner-parts.js';
import { attemptKey, nodeOf } from './assigner-state.js';
import { forgetUnfit, noteFit } from './assigner-unfit.js';

/** A tick this late means that the process was paused or starved: it has not heard anybody meanwhile (ms). */
const pausedMs = 1_000;
/** Beats that must show a stray before its node is told to drop it. */
const strayBeats = 3;

/**
 * Compares what a node holds with what the store assigns to it (DESIGN §4.2 rule 4): what it lacks is sent again, then ended;
 * what it should not hold is dropped. Attempts it is *holding* are left alone.
 */
export function hearBeat(state: AssignerState, beat: ExecutorBeat, now: number): void {
  state.lost.delete(beat.node);
  const node = nodeOf(state, beat.node, now);
  if (node.epoch !== beat.epoch) forgetUnfit(state, beat.node);
  node.epoch = beat.epoch;
  node.slots = beat.slots;
  node.draining = beat.draining;
  node.lastBeat = now;
  const held = new Map(beat.held.map((attempt) => [attemptKey(attempt), attempt]));
  for (const live of [...node.live.values()]) compare(state, live, held.get(attemptKey(live.ref)), now);
  findStrays(state, node, held, now);
  confirmStops(state, beat);
}

function compare(state: AssignerState, live: LiveAttempt, held: HeldAttempt | undefined, now: number): void {
  if (held !== undefined) {
    live.absent = 0;
    live.holding = held.phase === 'holding';
    learnEarly(state, live, held, now);
    return;
  }
  if (now - live.sentAt < state.config.graceMs) return;
  live.absent += 1;
  if (live.absent >= state.config.absentBeats) return endAttempt(state, live, 'its node no longer has it', now);
  live.sentAt = now;
  state.resend.push(live);
}

/** Long parts teach before they end: that their node can run the job, and how to cut the next one. */
function learnEarly(state: AssignerState, live: LiveAttempt, held: HeldAttempt, now: number): void {
  const job = state.jobs.get(held.job);
  if (job === undefined) return;
  if (held.runningMs > 0) noteFit(job, live.node, live.ref, now);
  if (held.items === 0 || !held.part.startsWith('map:')) return;
  job.msPerItem ??= held.runningMs / held.items;
}

function findStrays(state: AssignerState, node: NodeWork, held: Map<string, HeldAttempt>, now: number): void {
  const strays: NodeWork['strays'] = new Map();
  if (now < state.deafUntil) {
    node.strays = strays;
    return;
  }
  const drop = [];
  for (const [key, attempt] of held) {
    const { job, generation, part, attempt: number } = attempt;
    const judged = state.jobs.has(job) ? state.jobs.get(job)?.reload === undefined : state.allLoaded;
    if (node.live.has(key) || attempt.phase === 'holding' || !judged) continue;
    const beats = (node.strays.get(key)?.beats ?? 0) + 1;
    if (beats >= strayBeats) drop.push({ job, generation, part, attempt: number });
    else strays.set(key, { ref: { job, generation, part, attempt: number }, beats });
  }
  node.strays = strays;
  if (drop.length > 0) state.drops.push({ node: node.node, attempts: drop });
}

function confirmStops(state: AssignerState, beat: ExecutorBeat): void {
  if (state.stopping.size === 0) return;
  const busy = new Set(beat.held.map((attempt) => attempt.job));
  for (const [job, nodes] of state.stopping) if (!busy.has(job)) confirmStop(state, job, nodes, beat.node);
}

function confirmStop(state: AssignerState, job: HeldAttempt['job'], nodes: Set<NodeId>, node: NodeId): void {
  if (!nodes.delete(node) || nodes.size > 0) return;
  state.stopping.delete(job);
  state.notes.push({ job, message: 'stop confirmed: no node runs anything of this job' });
}

/**
 * Ends what runs on nodes that fell silent; called often. Judges nobody while the leader itself may have been deaf. `now` is when the timer fired:
 * ticks that waited for a slow save are no sign of a paused process.
 */
export function judgeNodes(state: AssignerState, now: number): void {
  if (now - state.lastTick > pausedMs) state.deafUntil = Math.max(state.deafUntil, now + state.config.lostMs);
  state.lastTick = now;
  if (!state.connected || now < state.deafUntil) return;
  for (const node of [...state.nodes.values()]) {
    const silentMs = now - node.lastBeat;
    if (silentMs > state.config.lostMs)
      forgetNode(state, node.node, `node lost: silent for ${Math.round(silentMs)} ms`, now);
  }
}

/** More nodes than a cluster has: the names that were lost first are forgotten, and missed by their beats as before. */
const lostMax = 1_000;

/** Keeps why a node was lost, and when first, until it beats again. */
export function remember(state: AssignerState, name: NodeId, why: string, now: number): void {
  const at = state.lost.get(name)?.at ?? now;
  state.lost.delete(name);
  state.lost.set(name, { why, at });
  for (const oldest of state.lost.keys()) {
    if (state.lost.size <= lostMax) return;
    state.lost.delete(oldest);
  }
}

/** Ends every attempt on a lost node; their parts go elsewhere. Its next beat makes it a node again. */
export function forgetNode(state: AssignerState, name: NodeId, why: string, now: number): void {
  for (const [job, nodes] of state.stopping) confirmStop(state, job, nodes, name);
  remember(state, name, why, now);
  const node = state.nodes.get(name);
  if (node === undefined) return;
  const jobs = new Set([...node.live.values()].map((live) => live.ref.job));
  for (const live of [...node.live.values()]) endAttempt(state, live, why, now);
  for (const job of jobs) state.notes.push({ job, message: `${name}: ${why}; its parts go to other nodes` });
  state.nodes.delete(name);
}
