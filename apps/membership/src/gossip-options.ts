import type { MemberlistOptions } from '@das/memberlist';
import type { MembershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import { protocolOf } from './protocol-config.js';
import { keyBytes } from './key-text.js';

/** Of a seed that names no port: the own one where one is set, as all nodes have the same then. */
export const seedPortOf = ({ DAS_GOSSIP_PORT }: MembershipConfig): number =>
  DAS_GOSSIP_PORT === 0 ? membershipLimits.seedPort : DAS_GOSSIP_PORT;

/** The settings as memberlist takes them. */
export function memberlistOptions(name: string, config: MembershipConfig, keys: readonly string[]): MemberlistOptions {
  const [min = 0, max = 0, current = 0] = config.DAS_GOSSIP_DELEGATE_VERSION.split(',').map(Number);
  return {
    ...protocolOf(config),
    name,
    bindPort: seedPortOf(config),
    keys: keys.map(keyBytes),
    label: config.DAS_GOSSIP_LABEL,
    verifyIncoming: config.DAS_GOSSIP_VERIFY_INCOMING,
    verifyOutgoing: config.DAS_GOSSIP_VERIFY_OUTGOING,
    compression: config.DAS_GOSSIP_COMPRESSION,
    disableTcpPings: config.DAS_GOSSIP_DISABLE_TCP_PINGS,
    cidrsAllowed: config.DAS_GOSSIP_CIDRS_ALLOWED,
    delegateVersion: [min, max, current],
  };
}
