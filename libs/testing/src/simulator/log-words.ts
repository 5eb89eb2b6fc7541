import type { OfficeEffect } from '@das/jobs';

/** An effect without what fills pages. */
export function brief(effect: OfficeEffect): unknown {
  if (effect.kind !== 'send') return effect;
  return {
    kind: 'send',
    node: effect.node,
    attempts: effect.request.assignments.map((a) => `${a.job} ${a.part}/${a.attempt}`),
  };
}
