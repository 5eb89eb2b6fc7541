import type { NodeId } from '@das/kernel';
import type { OfficeState } from './types.js';

/**
 * Whether `a` outranks `b`: by configured priority, then by name, greatest first. Names are ASCII tokens, so comparing
 * strings compares bytes. Priorities must be the same on every node; a difference costs time, never safety (the store decides).
 */
export function outranks(a: NodeId, b: NodeId, priorities: Readonly<Record<string, number>>): boolean {
  const byPriority = (priorities[a] ?? 0) - (priorities[b] ?? 0);
  return byPriority !== 0 ? byPriority > 0 : a > b;
}

/** The best of some nodes but this one: by rank. Undefined when there is no other. */
export function highestRanked({ config }: OfficeState, nodes: readonly NodeId[]): NodeId | undefined {
  let best: NodeId | undefined;
  for (const node of nodes) {
    if (node !== config.self && (best === undefined || outranks(node, best, config.priorities))) best = node;
  }
  return best;
}
