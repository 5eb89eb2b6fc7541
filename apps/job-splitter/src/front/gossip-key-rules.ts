import { Fault, type GossipKey, type KeyChange, type KeysView } from '@das/contracts';

type NodeKeys = KeysView['nodes'][number];

/** Whether a node's key is the one that is meant: given whole, its fingerprint is computed by the caller. */
const has = (keys: readonly GossipKey[], fingerprint: string): GossipKey | undefined =>
  keys.find((key) => key.fingerprint === fingerprint);

/**
 * Whether a step may begin, by what every present member said of its keys: one node that could not follow would be cut off.
 * @throws Fault GOSSIP_KEY_NOT_INSTALLED or GOSSIP_KEY_IN_USE, naming the nodes; nothing was changed.
 */
export function checkKeyChange(action: KeyChange['action'], fingerprint: string, nodes: readonly NodeKeys[]): void {
  if (action === 'use') {
    const lacking = nodes.filter(({ keys }) => has(keys, fingerprint) === undefined);
    if (lacking.length > 0) throw notInstalled(fingerprint, lacking);
  }
  if (action === 'remove') {
    const using = nodes.filter(({ keys }) => has(keys, fingerprint)?.primary === true);
    if (using.length > 0) throw inUse(fingerprint, using);
  }
}

function notInstalled(fingerprint: string, nodes: readonly NodeKeys[]): Fault {
  const said = nodes.map(({ node, outcome }) => `${node}${silent(outcome)}`).join(', ');
  return new Fault('GOSSIP_KEY_NOT_INSTALLED', `key ${fingerprint} is not known to be installed on ${said}`, {
    field: 'key',
    hint: 'das gossip keys install it first; a node that is gone for good is no present member any more',
  });
}

const silent = (outcome: NodeKeys['outcome']): string =>
  outcome === 'unreachable' ? ' (no answer)' : outcome === 'foreign' ? ' (none of our nodes)' : '';

function inUse(fingerprint: string, nodes: readonly NodeKeys[]): Fault {
  const names = nodes.map(({ node }) => node).join(', ');
  return new Fault('GOSSIP_KEY_IN_USE', `key ${fingerprint} encrypts on ${names}`, {
    field: 'key',
    hint: 'das gossip keys use another one first',
  });
}
