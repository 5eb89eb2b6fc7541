import { type BullyConfig, type Timings, checkTimings, defaultTimings } from '@das/election';
import type { NodeId } from '@das/kernel';
import { z } from 'zod';

/** Nodes that may be ranked by hand. */
const prioritiesMax = 1_024;

const priorities = z.string().transform((text, context): Record<string, number> => {
  const given: Record<string, number> = {};
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const match = /^\s*([A-Za-z0-9_-]{1,64})\s*=\s*(-?\d{1,6})\s*$/.exec(entry);
    if (match === null) {
      context.addIssue({
        code: 'custom',
        message: `expected name=number with commas between, like "node-1=10,node-2=5"`,
      });
      return z.NEVER;
    }
    given[match[1] as string] = Number(match[2]);
  }
  if (Object.keys(given).length <= prioritiesMax) return given;
  context.addIssue({ code: 'custom', message: `expected at most ${prioritiesMax} nodes` });
  return z.NEVER;
});

/** Settings of the election service. */
export const electionConfig = z.object({
  DAS_ELECTION_STRATEGY: z.enum(['bully']).default('bully').describe('Who tries to lead; the store decides who does.'),
  DAS_ELECTION_PRIORITY: priorities
    .default({})
    .describe(
      'Who is preferred as leader, the same on every node: name=number with commas between, higher first. Others have 0; then names decide.',
    ),
  DAS_ELECTION_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(400)
    .max(60_000)
    .default(defaultTimings.leaderTimeoutMs)
    .describe(
      'No word of the leader for this long starts an election (ms). The leader speaks four times as often. Raise it on slow machines.',
    ),
});
export type ElectionConfig = Readonly<z.output<typeof electionConfig>>;

/** What the strategy is told. @throws RangeError when timings contradict each other: a defect of ours, for the bounds above exclude it. */
export function bullyConfig(config: ElectionConfig, self: NodeId, instance: string): BullyConfig {
  const leaderTimeoutMs = config.DAS_ELECTION_TIMEOUT_MS;
  const timings: Timings = {
    ...defaultTimings,
    leaderTimeoutMs,
    heartbeatMs: Math.floor(leaderTimeoutMs / 4),
    leaderFreshMs: Math.floor((leaderTimeoutMs * 3) / 4),
  };
  const faults = checkTimings(timings);
  if (faults.length > 0) throw new RangeError(faults.join('; '));
  return { self, instance, priorities: config.DAS_ELECTION_PRIORITY, timings };
}
