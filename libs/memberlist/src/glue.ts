import { noBytes } from './core/codec/bytes.js';
import type { Hooks } from './core/hooks.js';
import type { Delegates } from './delegates.js';
import type { EngineListener } from './engine/listener.js';

/** The questions of a protocol step, answered by delegates; absent where the delegate is absent now: those assigned later are never asked. */
export function hooksOf(delegates: Delegates): Omit<Hooks, 'wireOverhead'> {
  return {
    ...(delegates.aliveProblem && { aliveProblem: (member) => delegates.aliveProblem?.(member) }),
    ...(delegates.mergeProblem && { mergeProblem: (members) => delegates.mergeProblem?.(members) }),
    ...(delegates.broadcasts && {
      userBroadcasts: (overhead, limit) => delegates.broadcasts?.(overhead, limit) ?? [],
    }),
    ...(delegates.noStreamPing && { noStreamPing: (name) => delegates.noStreamPing?.(name) === true }),
    ackPayload: () => delegates.ackPayload?.(),
    localState: (join) => delegates.localState?.(join) ?? noBytes,
  };
}

/** The notices of an engine, told to delegates. */
export function engineListener(delegates: Delegates): EngineListener {
  return {
    member: (change, member) => {
      if (change === 'join') delegates.onJoin?.(member);
      else if (change === 'leave') delegates.onLeave?.(member);
      else if (change === 'update') delegates.onUpdate?.(member);
      else if (change === 'suspect') delegates.onSuspect?.(member);
      else delegates.onRefute?.(member);
    },
    conflict: (existing, other) => delegates.onConflict?.(existing, other),
    userMessage: (payload) => delegates.notifyMessage?.(payload),
    remoteState: (payload, join) => delegates.mergeRemoteState?.(payload, join),
    probed: (member, rttMs, payload) => delegates.onPing?.(member, rttMs, payload),
    queueDepth: (waiting) => delegates.onQueueDepth?.(waiting),
    note: (note) => delegates.onNote?.(note),
  };
}
