import { configProblems, probePeriod } from '@das/memberlist';
import { z } from 'zod';
import { type Labels, labelsBytesMax, parseLabels } from './core/labels.js';
import { protocolNumbers, protocolOf } from './protocol-config.js';

const flag = (standard: 'true' | 'false', what: string) =>
  z
    .enum(['true', 'false'])
    .default(standard)
    .transform((text) => text === 'true')
    .describe(what);

const seedsMax = 64;
const seedPattern =
  /^([^\s/]+\/)?(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F.]*)(:\d{1,5})?$/;

/** `a, b` as a list without blanks and empty places. */
const list = (what: string) =>
  z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .describe(what);

const labels = z
  .string()
  .default('')
  .transform((text, context): Labels => {
    const parsed = parseLabels(text);
    if ('labels' in parsed) return parsed.labels;
    context.addIssue({ code: 'custom', message: parsed.problem });
    return {};
  })
  .describe(`Labels of this node, for people and selectors: k=v,k2=v2 (at most ${labelsBytesMax} bytes).`);

/** Settings of the membership service. */
export const membershipConfig = z
  .object({
    DAS_GOSSIP_PROFILE: z
      .enum(['cluster', 'lan', 'wan', 'local'])
      .default('cluster')
      .describe(
        'Kind of network: cluster (one data centre; failures known in about 1.5 s), lan, wan, local (as memberlist has them).',
      ),
    DAS_GOSSIP_BIND: z.string().max(255).optional().describe('Address that gossip listens on. Default: DAS_BIND.'),
    DAS_GOSSIP_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(0)
      .describe('Port of gossip, UDP and TCP. 0: the one of the last start if it is free, else any.'),
    DAS_GOSSIP_ADVERTISE: z
      .string()
      .regex(/^(\[[0-9a-fA-F:.]+\]|[\d.]+)(:\d{1,5})?$/, 'expected ip or ip:port')
      .optional()
      .describe('ip or ip:port that others are told, when it is not what gossip listens on.'),
    DAS_GOSSIP_SEEDS: list(
      'Nodes to join, besides those found over the bus: [name/]host[:port], commas between; port 7946 if none is given.',
    ).pipe(z.array(z.string().regex(seedPattern, 'expected [name/]host[:port], commas between')).max(seedsMax)),
    DAS_GOSSIP_LABEL: z
      .string()
      .max(255)
      .regex(/^[\x20-\x7e]*$/, 'expected plain ASCII')
      .default('')
      .describe('Keeps clusters on one network apart: others are refused.'),
    DAS_GOSSIP_ENCRYPTION: z
      .enum(['on', 'off'])
      .default('on')
      .describe('off: gossip is readable and open to everyone who reaches its port.'),
    DAS_GOSSIP_KEYRING_FILE: z
      .string()
      .optional()
      .describe(
        'JSON list of base64 keys, the one that encrypts first, or {"edition", "keys"} (mode 0600); keys of other nodes never replace it. Default: gossip/<node>.keyring in DAS_HOME, made when missing.',
      ),
    DAS_GOSSIP_VERIFY_INCOMING: flag(
      'true',
      'Refuse what is not encrypted. false only while encryption is introduced.',
    ),
    DAS_GOSSIP_VERIFY_OUTGOING: flag('true', 'Encrypt what is sent. false only while encryption is introduced.'),
    ...protocolNumbers,
    DAS_GOSSIP_COMPRESSION: flag('true', 'Compress messages where it helps.'),
    DAS_GOSSIP_DISABLE_TCP_PINGS: flag('false', 'No probe over TCP when datagrams find no answer.'),
    DAS_GOSSIP_CIDRS_ALLOWED: list(
      'Networks whose nodes may be members, like 10.0.0.0/8, commas between. Default: all.',
    ),
    DAS_GOSSIP_DELEGATE_VERSION: z
      .string()
      .regex(/^\d{1,2},\d{1,2},\d{1,2}$/, 'expected min,max,current')
      .default('0,0,0')
      .describe('min,max,current of what members say besides the protocol; 2,5,5 to be taken by serf agents.'),
    DAS_LABELS: labels,
  })
  .superRefine((given, context) => {
    const protocol = protocolOf(given);
    const whole = { ...protocol, name: 'any', cidrsAllowed: given.DAS_GOSSIP_CIDRS_ALLOWED };
    for (const message of configProblems(whole))
      context.addIssue({ code: 'custom', path: ['DAS_GOSSIP_CIDRS_ALLOWED'], message });
    if (given.DAS_GOSSIP_ENCRYPTION === 'on' && given.DAS_GOSSIP_VERIFY_INCOMING && !given.DAS_GOSSIP_VERIFY_OUTGOING)
      context.addIssue({
        code: 'custom',
        path: ['DAS_GOSSIP_VERIFY_OUTGOING'],
        message:
          'this node would send what it refuses itself: unencrypted; set it to true, or DAS_GOSSIP_VERIFY_INCOMING to false as well',
      });
    const periodMs = probePeriod(protocol);
    if (protocol.probeTimeoutMs < periodMs) return;
    const message = `${protocol.probeTimeoutMs} ms must be below the ${periodMs} ms of a whole probe (DAS_GOSSIP_PROBE_PERIOD_MS)`;
    context.addIssue({ code: 'custom', path: ['DAS_GOSSIP_PROBE_TIMEOUT_MS'], message });
  });
export type MembershipConfig = Readonly<z.output<typeof membershipConfig>>;
