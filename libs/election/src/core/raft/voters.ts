import { limits } from '@das/contracts';
import type { NodeId } from '@das/kernel';

export const { votersMax } = limits;

/** How many make a majority. */
export const majorityOf = (voters: readonly NodeId[]): number => Math.floor(voters.length / 2) + 1;

/** The same for the same set of voters, in whatever order it is written (FNV-1a, 32 bits). Finds mistakes, not forgeries. */
export function votersHash(voters: readonly NodeId[]): string {
  let hash = 0x811c9dc5;
  for (const char of [...voters].sort().join(',')) {
    hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

/** What is wrong with a list of voters, and what is only unwise; in words that say what to change. */
export function checkVoters(voters: readonly NodeId[], self: NodeId): { faults: string[]; warnings: string[] } {
  const twice = [...new Set(voters.filter((node, at) => voters.indexOf(node) !== at))];
  const faults: string[] = [];
  const warnings: string[] = [];
  if (voters.length === 0)
    faults.push('raft needs its voters: name them, the same list on every node, like "node-1,node-2,node-3"');
  if (twice.length > 0) faults.push(`${twice.join(', ')} is named more than once; name every voter once`);
  if (voters.length > votersMax)
    faults.push(`${voters.length} voters are too many; name at most ${votersMax}, the other nodes need no vote`);
  if (faults.length > 0) return { faults, warnings };
  if (voters.length % 2 === 0) {
    const few = voters.length / 2 - 1;
    warnings.push(
      `an even number of voters (${voters.length}) bears the loss of ${few}, as ${voters.length - 1} would; add or remove one`,
    );
  }
  if (!voters.includes(self))
    warnings.push(`${self} is not among the voters (${voters.join(', ')}): it follows, and never leads`);
  return { faults, warnings };
}
