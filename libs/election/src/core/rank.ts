import type { NodeId } from '@das/kernel';

/**
 * Whether `a` outranks `b`: by configured priority, then by name, greatest first. Names are ASCII tokens, so comparing
 * strings compares bytes. Priorities must be the same on every node; a difference costs time, never safety (the store decides).
 */
export function outranks(a: NodeId, b: NodeId, priorities: Readonly<Record<string, number>>): boolean {
  const byPriority = (priorities[a] ?? 0) - (priorities[b] ?? 0);
  return byPriority !== 0 ? byPriority > 0 : a > b;
}
