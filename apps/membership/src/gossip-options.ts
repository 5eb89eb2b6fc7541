import type { MemberlistOptions } from '@das/memberlist';
import type { MembershipConfig } from './config.js';
import { membershipLimits } from './limits.js';
import { protocolOf } from './protocol-config.js';
import { keyBytes } from './key-text.js';

/** The settings as memberlist takes them. */
export function memberlistOptions(name: string, config: MembershipConfig, keys: readonly string[]): MemberlistOptions {
  const [min = 0, max = 0, current = 0] = config.DAS_GOSSIP_DELEGATE_VERSION.split(',').map(Number);
  return {
    ...protocolOf(config),
    name,
    bindPort: config.DAS_GOSSIP_PORT === 0 ? membershipLimits.seedPort : config.DAS_GOSSIP_PORT,
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
