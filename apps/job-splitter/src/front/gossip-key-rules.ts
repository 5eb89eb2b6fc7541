import { Fault, type GossipKey, type KeyChange, type KeysView } from '@das/contracts';

type NodeKeys = KeysView['nodes'][number];

/** Whether a node's key is the one that is meant: given whole, its fingerprint is computed by the caller. */
const has = (keys: readonly GossipKey[], fingerprint: string): GossipKey | undefined =>
  keys.find((key) => key.fingerprint === fingerprint);

/**
 * Whether a step may begin, by what every present member said of its keys: one node that could not follow would be cut off.
 * `foreignChanged`: somebody vouches for the members that are none of our nodes.
 * @throws Fault GOSSIP_KEY_NOT_INSTALLED or GOSSIP_KEY_IN_USE, naming the nodes; nothing was changed.
 */
export function checkKeyChange(
  { action, foreign }: Pick<KeyChange, 'action' | 'foreign'>,
  fingerprint: string,
  nodes: readonly NodeKeys[],
): void {
  const asked = foreign === 'changed' ? nodes.filter(({ outcome }) => outcome !== 'foreign') : nodes;
  if (action === 'use') {
    const lacking = asked.filter(({ keys }) => has(keys, fingerprint) === undefined);
    if (lacking.length > 0) throw notInstalled(fingerprint, lacking);
  }
  if (action === 'remove') {
    const using = asked.filter(({ keys }) => has(keys, fingerprint)?.primary === true);
    if (using.length > 0) throw inUse(`key ${fingerprint} encrypts on`, using);
    // Who did not answer may have missed the step before this one.
    const unknown = asked.filter(({ outcome }) => outcome === 'unreachable' || outcome === 'foreign');
    if (unknown.length > 0) throw inUse(`key ${fingerprint} may encrypt on`, unknown);
  }
}

const silent = (outcome: NodeKeys['outcome']): string =>
  outcome === 'unreachable' ? ' (no answer)' : outcome === 'foreign' ? ' (none of our nodes)' : '';
const named = (nodes: readonly NodeKeys[]): string =>
  nodes.map(({ node, outcome }) => `${node}${silent(outcome)}`).join(', ');

const goneHint = 'a node that is gone for good is no present member any more';
/** How to go on beside members that nobody can ask. */
const foreignHint = (nodes: readonly NodeKeys[]): string =>
  nodes.some(({ outcome }) => outcome === 'foreign')
    ? '; once the keys of members that are none of our nodes were changed by their own means, say so: --foreign-changed ("foreign":"changed")'
    : '';

function notInstalled(fingerprint: string, nodes: readonly NodeKeys[]): Fault {
  return new Fault('GOSSIP_KEY_NOT_INSTALLED', `key ${fingerprint} is not known to be installed on ${named(nodes)}`, {
    field: 'key',
    hint: `das gossip keys install it first; ${goneHint}${foreignHint(nodes)}`,
  });
}

function inUse(what: string, nodes: readonly NodeKeys[]): Fault {
  return new Fault('GOSSIP_KEY_IN_USE', `${what} ${named(nodes)}`, {
    field: 'key',
    hint: `das gossip keys use another one first; ${goneHint}${foreignHint(nodes)}`,
  });
}
