import { parseCidr } from './address.js';
import { encodeText } from './codec/utf8.js';
import { limits } from './limits.js';

/** How a node behaves. Times in ms, sizes in bytes. The trade-offs are those of the original's `config.go`. */
export interface Config {
  /** Unique in the cluster. */
  readonly name: string;
  /** Protocol spoken, 1 to 5. 2 is what the whole field speaks; all of 1 to 5 is understood. */
  readonly protocolVersion: number;
  /** Version of what the delegate says: min, max, current. */
  readonly delegateVersion: readonly [min: number, max: number, current: number];
  /** Port assumed for peers that tell none. */
  readonly bindPort: number;
  /** Time for a whole exchange over a stream. */
  readonly tcpTimeoutMs: number;
  /** Others asked to probe a member that does not answer. More find asymmetric faults, and cost traffic. */
  readonly indirectChecks: number;
  /** Broadcasts are sent this often, times log n. */
  readonly retransmitMult: number;
  /** Shortest suspicion in probe periods, times log n. More avoids false accusations and finds failures later. */
  readonly suspicionMult: number;
  /** A suspicion nobody confirms lasts this many times longer. */
  readonly suspicionMaxTimeoutMult: number;
  /** Time between two exchanges of the whole state with one member; 0 never. */
  readonly pushPullIntervalMs: number;
  /** Wait for a direct answer: the network's 99th percentile round trip. Below the interval. */
  readonly probeTimeoutMs: number;
  /** Time between two probes. */
  readonly probeIntervalMs: number;
  /** Time for a whole probe, relays and stream included, and the unit of suspicion; 0: `probeIntervalMs`, as the original has it. */
  readonly probePeriodMs: number;
  /** Of so many members next in turn the one that was not heard for longest is probed first; 1: strictly in turn, as by the original. */
  readonly probeChoice: number;
  /** No probe over a stream when datagrams find no answer. */
  readonly disableTcpPings: boolean;
  /** Bound of the own health score. */
  readonly awarenessMaxMultiplier: number;
  /** Members told at each gossip. */
  readonly gossipNodes: number;
  /** Time between two gossips; 0 never. */
  readonly gossipIntervalMs: number;
  /** The dead are told for this long (one of them may live and refute), then forgotten. */
  readonly gossipToTheDeadMs: number;
  /** Largest datagram. */
  readonly udpBufferBytes: number;
  /** A dead member's name may return from another address after this time; 0 never. */
  readonly deadNodeReclaimMs: number;
  /** Networks whose nodes may be members; empty for all. */
  readonly cidrsAllowed: readonly string[];
  /** A name is expected in every join address. */
  readonly requireNodeNames: boolean;
  /** Time between two reports of how many broadcasts wait; 0 never. */
  readonly queueCheckIntervalMs: number;
}

/** Defaults for a local network, all but the name. */
export const lanConfig: Omit<Config, 'name'> = {
  protocolVersion: 2,
  delegateVersion: [0, 0, 0],
  bindPort: 7946,
  tcpTimeoutMs: 10_000,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullIntervalMs: 30_000,
  probeTimeoutMs: 500,
  probeIntervalMs: 1_000,
  probePeriodMs: 0,
  probeChoice: 1,
  disableTcpPings: false,
  awarenessMaxMultiplier: 8,
  gossipNodes: 3,
  gossipIntervalMs: 200,
  gossipToTheDeadMs: 30_000,
  udpBufferBytes: 1_400,
  deadNodeReclaimMs: 0,
  cidrsAllowed: [],
  requireNodeNames: false,
  queueCheckIntervalMs: 30_000,
};

/** Defaults for links between places. */
export const wanConfig: Omit<Config, 'name'> = {
  ...lanConfig,
  tcpTimeoutMs: 30_000,
  suspicionMult: 6,
  pushPullIntervalMs: 60_000,
  probeTimeoutMs: 3_000,
  probeIntervalMs: 5_000,
  gossipNodes: 4,
  gossipIntervalMs: 500,
  gossipToTheDeadMs: 60_000,
};

/** Defaults for one machine. */
export const localConfig: Omit<Config, 'name'> = {
  ...lanConfig,
  tcpTimeoutMs: 1_000,
  indirectChecks: 1,
  retransmitMult: 2,
  suspicionMult: 3,
  pushPullIntervalMs: 15_000,
  probeTimeoutMs: 200,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 15_000,
};

/**
 * Defaults for machines of one data centre: among three to ten members a failure is known after 1.4 s (median, simulated; `lanConfig`
 * 5.6 s), and yet a member sends 2.7 datagrams a second, little more than with {@link lanConfig}, whatever the size of the cluster.
 *
 * Three things do that, none of which changes the protocol. Probes go to whom nobody heard for longest (`probeChoice`): a ping is a sign
 * of life of its sender too, so that half as many tell as much. A whole probe ends after `probePeriodMs` and not when the next is due.
 * And an accusation is checked by a few others at once.
 *
 * Its price: a direct answer has 80 ms and a whole probe 200 ms, so round trips have to stay below 40 ms: between places use
 * {@link wanConfig}. The shortest suspicion is 0.8 s instead of 4 s up to ten members; that is the time in which a slow or cut-off
 * member has to refute. What protects members on loaded machines is left as it is: three relays and a probe over a stream before
 * anyone is suspected, six times the wait while nobody confirms, and slower probes of whoever is late itself.
 */
export const clusterConfig: Omit<Config, 'name'> = {
  ...lanConfig,
  tcpTimeoutMs: 5_000,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  indirectChecks: 3,
  retransmitMult: 4,
  pushPullIntervalMs: 15_000,
  // A relay waits as long again before it says that it got no answer either, and is to be heard within the period.
  probeTimeoutMs: 80,
  probeIntervalMs: 750,
  probePeriodMs: 200,
  probeChoice: 16,
  gossipIntervalMs: 100,
  gossipToTheDeadMs: 30_000,
};

/** Time for a whole probe, ms. */
export const probePeriod = ({
  probePeriodMs,
  probeIntervalMs,
}: Pick<Config, 'probePeriodMs' | 'probeIntervalMs'>): number => (probePeriodMs > 0 ? probePeriodMs : probeIntervalMs);

/**
 * Whether probes choose their target. With that goes what makes rare probes enough: signs of life are remembered, accusations checked at
 * once, and the accused told again and again. Without it all is as in the original.
 */
export const choosesTargets = ({ probeChoice }: Pick<Config, 'probeChoice'>): boolean => probeChoice > 1;

/** Protocol versions that we understand. */
export const protocolVersions = { min: 1, max: 5 } as const;

type NumberKey = { [K in keyof Config]: Config[K] extends number ? K : never }[keyof Config];

const ranges: readonly (readonly [key: NumberKey, min: number, max: number])[] = [
  ['protocolVersion', protocolVersions.min, protocolVersions.max],
  ['bindPort', 0, 65_535],
  ['tcpTimeoutMs', 1, 3_600_000],
  ['indirectChecks', 0, 64],
  ['retransmitMult', 1, 100],
  ['suspicionMult', 1, 100],
  ['suspicionMaxTimeoutMult', 1, 100],
  ['pushPullIntervalMs', 0, 86_400_000],
  ['probeTimeoutMs', 1, 3_600_000],
  ['probeIntervalMs', 1, 3_600_000],
  ['probePeriodMs', 0, 3_600_000],
  ['probeChoice', 1, 64],
  ['awarenessMaxMultiplier', 1, 100],
  ['gossipNodes', 0, 64],
  ['gossipIntervalMs', 0, 3_600_000],
  ['gossipToTheDeadMs', 0, 86_400_000],
  ['udpBufferBytes', 576, 65_507],
  ['deadNodeReclaimMs', 0, 31_536_000_000],
  ['queueCheckIntervalMs', 0, 86_400_000],
];

/** All that is wrong with a configuration, one sentence each; empty when it is fine. */
export function configProblems(config: Config): string[] {
  const problems = ranges
    .filter(([key, min, max]) => !(config[key] >= min && config[key] <= max))
    .map(([key, min, max]) => `${key} is ${config[key]}: expected ${min} to ${max}`);
  const nameBytes = encodeText(config.name).length;
  if (nameBytes < 1 || nameBytes > limits.nameBytesMax)
    problems.push(`name: expected 1 to ${limits.nameBytesMax} bytes`);
  if (config.delegateVersion.some((version) => !Number.isInteger(version) || version < 0 || version > 255)) {
    problems.push('delegateVersion: expected three numbers from 0 to 255');
  }
  if (config.probePeriodMs > config.probeIntervalMs)
    problems.push(
      `probePeriodMs is ${config.probePeriodMs}: expected at most probeIntervalMs, ${config.probeIntervalMs}`,
    );
  const wrong = config.cidrsAllowed.filter((text) => parseCidr(text) === undefined);
  return [...problems, ...wrong.map((text) => `cidrsAllowed: ${JSON.stringify(text)} is no network like 10.0.0.0/8`)];
}
