import { type Config, clusterConfig, lanConfig, localConfig, wanConfig } from '@das/memberlist';
import { z } from 'zod';

/** Defaults of the protocol, by the kind of network. */
export const profiles = { cluster: clusterConfig, lan: lanConfig, wan: wanConfig, local: localConfig } as const;

const ofProfile = 'Default: that of the profile.';
const number = (min: number, max: number, what: string) =>
  z.coerce.number().int().min(min).max(max).optional().describe(`${what} ${ofProfile}`);

/** Settings for every number of the protocol; {@link overrides} names what each sets. */
export const protocolNumbers = {
  DAS_GOSSIP_PROBE_INTERVAL_MS: number(10, 3_600_000, 'Time between two probes (ms). Less finds failures sooner.'),
  DAS_GOSSIP_PROBE_TIMEOUT_MS: number(
    1,
    3_600_000,
    "Wait for a direct answer (ms): the network's 99th percentile round trip; below the whole probe.",
  ),
  DAS_GOSSIP_PROBE_PERIOD_MS: number(
    0,
    3_600_000,
    'Time for a whole probe, relays and stream included, and the unit of suspicion (ms); 0: the interval.',
  ),
  DAS_GOSSIP_PROBE_CHOICE: number(
    1,
    64,
    'Of so many members next in turn the one not heard for longest is probed first; 1: strictly in turn.',
  ),
  DAS_GOSSIP_INDIRECT_CHECKS: number(0, 64, 'Others asked to probe a member that does not answer.'),
  DAS_GOSSIP_SUSPICION_MULT: number(
    1,
    100,
    'Shortest suspicion in whole probes, times log n. More avoids false accusations and finds failures later.',
  ),
  DAS_GOSSIP_SUSPICION_MAX_TIMEOUT_MULT: number(1, 100, 'A suspicion nobody confirms lasts this many times longer.'),
  DAS_GOSSIP_AWARENESS_MAX_MULTIPLIER: number(1, 100, 'Bound of the own health score, which stretches timeouts.'),
  DAS_GOSSIP_RETRANSMIT_MULT: number(1, 100, 'Messages are passed on this often, times log n.'),
  DAS_GOSSIP_NODES: number(0, 64, 'Members told at each gossip.'),
  DAS_GOSSIP_INTERVAL_MS: number(0, 3_600_000, 'Time between two gossips (ms); 0 never.'),
  DAS_GOSSIP_TO_THE_DEAD_MS: number(0, 86_400_000, 'The dead are told for this long, then forgotten by gossip (ms).'),
  DAS_GOSSIP_PUSH_PULL_INTERVAL_MS: number(
    0,
    86_400_000,
    'Time between two exchanges of the whole state with one member (ms); 0 never.',
  ),
  DAS_GOSSIP_TCP_TIMEOUT_MS: number(1, 3_600_000, 'Time for a whole exchange over TCP (ms).'),
  DAS_GOSSIP_UDP_BUFFER_BYTES: number(576, 65_507, 'Largest datagram (bytes).'),
  DAS_GOSSIP_QUEUE_CHECK_INTERVAL_MS: number(0, 86_400_000, 'Time between two looks at the queue (ms); 0 never.'),
  DAS_GOSSIP_PROTOCOL_VERSION: number(1, 5, 'Protocol of memberlist that is spoken; 1 to 5 are understood.'),
  DAS_GOSSIP_DEAD_NODE_RECLAIM_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(31_536_000_000)
    .default(1_000)
    .describe("A dead node's name may come back from another address after this (ms); 0 never."),
} as const;

type NumberKey = { [K in keyof Config]: Config[K] extends number ? K : never }[keyof Config];
const overrides: Readonly<Record<keyof typeof protocolNumbers, NumberKey>> = {
  DAS_GOSSIP_PROBE_INTERVAL_MS: 'probeIntervalMs',
  DAS_GOSSIP_PROBE_TIMEOUT_MS: 'probeTimeoutMs',
  DAS_GOSSIP_PROBE_PERIOD_MS: 'probePeriodMs',
  DAS_GOSSIP_PROBE_CHOICE: 'probeChoice',
  DAS_GOSSIP_INDIRECT_CHECKS: 'indirectChecks',
  DAS_GOSSIP_SUSPICION_MULT: 'suspicionMult',
  DAS_GOSSIP_SUSPICION_MAX_TIMEOUT_MULT: 'suspicionMaxTimeoutMult',
  DAS_GOSSIP_AWARENESS_MAX_MULTIPLIER: 'awarenessMaxMultiplier',
  DAS_GOSSIP_RETRANSMIT_MULT: 'retransmitMult',
  DAS_GOSSIP_NODES: 'gossipNodes',
  DAS_GOSSIP_INTERVAL_MS: 'gossipIntervalMs',
  DAS_GOSSIP_TO_THE_DEAD_MS: 'gossipToTheDeadMs',
  DAS_GOSSIP_PUSH_PULL_INTERVAL_MS: 'pushPullIntervalMs',
  DAS_GOSSIP_TCP_TIMEOUT_MS: 'tcpTimeoutMs',
  DAS_GOSSIP_UDP_BUFFER_BYTES: 'udpBufferBytes',
  DAS_GOSSIP_QUEUE_CHECK_INTERVAL_MS: 'queueCheckIntervalMs',
  DAS_GOSSIP_PROTOCOL_VERSION: 'protocolVersion',
  DAS_GOSSIP_DEAD_NODE_RECLAIM_MS: 'deadNodeReclaimMs',
};

type Given = Readonly<Partial<Record<keyof typeof protocolNumbers, number>>> & {
  readonly DAS_GOSSIP_PROFILE: keyof typeof profiles;
};

/** The protocol's numbers: those of the profile, and the given ones over them. */
export function protocolOf(given: Given): Omit<Config, 'name'> {
  const names = Object.keys(overrides) as (keyof typeof overrides)[];
  const set = names.flatMap((name) => (given[name] === undefined ? [] : [[overrides[name], given[name]] as const]));
  return { ...profiles[given.DAS_GOSSIP_PROFILE], ...Object.fromEntries(set) };
}
