import {
  type ElectionConfig,
  type Timings,
  checkTimings,
  checkVoters,
  defaultTimings,
  leaseTimings,
  raftTimings,
} from '@das/election';
import { type NodeId, nodeId } from '@das/kernel';
import { ConfigError } from '@das/platform';
import { z } from 'zod';

/** Nodes that may be ranked by hand. */
const prioritiesMax = 1_024;

const priorities = z.string().transform((text, context): Record<string, number> => {
  const given: Record<string, number> = Object.create(null) as Record<string, number>;
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const match = /^\s*([A-Za-z0-9_-]{1,64})\s*=\s*(-?\d{1,6})\s*$/.exec(entry);
    if (match === null) {
      context.addIssue({
        code: 'custom',
        message: `expected name=number with commas between, like "node-1=10,node-2=5"`,
      });
      return z.NEVER;
    }
    const name = match[1] as string;
    if (name in given) {
      context.addIssue({ code: 'custom', message: `${name} is named more than once; give every node one rank` });
      return z.NEVER;
    }
    given[name] = Number(match[2]);
  }
  if (Object.keys(given).length <= prioritiesMax) return given;
  context.addIssue({ code: 'custom', message: `expected at most ${prioritiesMax} nodes` });
  return z.NEVER;
});

const name = /^[A-Za-z0-9_-]{1,64}$/;
const voters = z.string().transform((text, context): NodeId[] => {
  const names = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const odd = names.find((part) => !name.test(part));
  if (odd === undefined) return names.map(nodeId);
  context.addIssue({
    code: 'custom',
    message: `expected names of nodes with commas between, like "node-1,node-2,node-3"`,
  });
  return z.NEVER;
});

/** Settings of the election service. */
export const electionConfig = z.object({
  DAS_ELECTION: z
    .enum(['bully', 'raft', 'lease'])
    .default('bully')
    .describe(
      'Who tries to lead; the store decides who does. bully: the highest-ranked node that lives. raft: whom a majority of DAS_ELECTION_VOTERS votes for. lease: who holds a record in the NATS server. The same on every node.',
    ),
  DAS_ELECTION_PRIORITY: priorities
    .default({})
    .describe(
      'Who is preferred as leader, the same on every node: name=number with commas between, higher first. Others have 0; then names decide.',
    ),
  DAS_ELECTION_PREEMPT: z
    .enum(['true', 'false'])
    .default('true')
    .describe(
      'Whether with bully a higher-ranked node takes over from a healthy leader: after 30 s at the earliest, later the more often the leader changed.',
    ),
  DAS_ELECTION_VOTERS: voters
    .default([])
    .describe(
      'With raft: the nodes that vote, with commas between, the same list on every node. An odd number; others follow.',
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
  DAS_ELECTION_LEASE_MS: z.coerce
    .number()
    .int()
    .min(3_000)
    .max(120_000)
    .default(6_000)
    .describe(
      'With lease: how long a record of a silent leader keeps others out (ms); they wait a tenth more. Its holder renews it three times as often.',
    ),
});
export type ElectionSettings = Readonly<z.output<typeof electionConfig>>;

/** What the strategy is told, and what is only unwise in it. @throws ConfigError: settings that contradict each other, with what to change. */
export function strategyConfig(
  settings: ElectionSettings,
  self: NodeId,
  instance: string,
): { readonly config: ElectionConfig; readonly warnings: readonly string[] } {
  const { DAS_ELECTION: strategy, DAS_ELECTION_VOTERS: voters } = settings;
  const timings = timingsOf(settings);
  const checked = strategy === 'raft' ? checkVoters(voters, self) : { faults: [], warnings: unusedVoters(settings) };
  const faults = [
    ...checked.faults.map((message) => ({ variable: 'DAS_ELECTION_VOTERS', message })),
    ...checkTimings(timings).map((message) => ({ variable: 'DAS_ELECTION_TIMEOUT_MS', message })),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  const preempt = settings.DAS_ELECTION_PREEMPT === 'true';
  const config = { self, instance, priorities: settings.DAS_ELECTION_PRIORITY, voters, preempt, timings };
  return { config, warnings: checked.warnings };
}

function timingsOf(settings: ElectionSettings): Timings {
  const leaderTimeoutMs = settings.DAS_ELECTION_TIMEOUT_MS;
  return {
    ...defaultTimings,
    leaderTimeoutMs,
    heartbeatMs: Math.floor(leaderTimeoutMs / 4),
    leaderFreshMs: Math.floor((leaderTimeoutMs * 3) / 4),
    raft: raftTimings(leaderTimeoutMs),
    lease: leaseTimings(settings.DAS_ELECTION_LEASE_MS),
  };
}

const unusedVoters = ({ DAS_ELECTION, DAS_ELECTION_VOTERS }: ElectionSettings): string[] =>
  DAS_ELECTION_VOTERS.length === 0
    ? []
    : [
        `DAS_ELECTION_VOTERS is set, but ${DAS_ELECTION} asks nobody for votes; set DAS_ELECTION=raft, or leave the voters out`,
      ];
