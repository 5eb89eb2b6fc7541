import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import {
  Fault,
  type KeyAction,
  type KeyChange,
  type KeysView,
  type Member,
  gossipKeys,
  keyChangeSchema,
  shapeFault,
} from '@das/contracts';
import { messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { Cluster } from './cluster.js';
import { checkKeyChange } from './gossip-key-rules.js';

type NodeKeys = KeysView['nodes'][number];

/** A node that says nothing within this is told as unreachable (ms). */
const askMs = 3_000;
/** Nodes asked at the same time. */
const askedMax = 64;
const keySizes: ReadonlySet<number> = new Set([16, 24, 32]);
const fingerprintPattern = /^[0-9a-f]{8}$/;

/** Gossip keys of the whole cluster: asks every present member, and says what became of each. */
@Injectable()
export class GossipKeyRotation {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Cluster) private readonly cluster: Cluster,
  ) {}

  /** Who has which keys, by their fingerprints. @throws Fault when this node's membership does not answer. */
  async list(): Promise<KeysView> {
    return viewOf(await this.ask('list', undefined));
  }

  /**
   * One step on every present member; steps asked of this node follow each other.
   * @throws Fault REQUEST_INVALID; GOSSIP_KEY_NOT_INSTALLED, GOSSIP_KEY_IN_USE before anything is changed.
   */
  change(body: unknown): Promise<KeysView> {
    const parsed = keyChangeSchema.safeParse(body);
    if (!parsed.success) throw shapeFault(parsed.error, 'the key change', 'like {"action":"install","key":"<base64>"}');
    const done = this.#turn.then(() => this.perform(parsed.data));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  private async perform(change: KeyChange): Promise<KeysView> {
    const { action, key, foreign } = change;
    const fingerprint = fingerprintOf(action, key);
    if (action !== 'install') checkKeyChange(change, fingerprint, await this.ask('list', undefined));
    const nodes = await this.ask(action, key);
    this.context.log.info(
      { action, fingerprint },
      `gossip key ${fingerprint}: ${action} asked of ${nodes.length} nodes`,
    );
    return viewOf(nodes, foreign === 'changed');
  }

  private async ask(action: KeyAction, key: string | undefined): Promise<NodeKeys[]> {
    const present = (await this.cluster.members()).filter(({ state }) => state === 'alive' || state === 'suspect');
    const answers: NodeKeys[] = [];
    for (let at = 0; at < present.length; at += askedMax)
      answers.push(
        ...(await Promise.all(present.slice(at, at + askedMax).map((one) => this.askNode(one, action, key)))),
      );
    return answers.sort((one, other) => (one.node < other.node ? -1 : 1));
  }

  private async askNode({ node, version }: Member, action: KeyAction, key: string | undefined): Promise<NodeKeys> {
    if (version === undefined)
      return {
        node,
        outcome: 'foreign',
        reason: 'it is none of our nodes: change its keys by its own means',
        keys: [],
      };
    try {
      const request = key === undefined ? { action } : { action, key };
      const { body } = await this.context.bus.call(gossipKeys, request, { node, timeoutMs: askMs });
      return { node, ...body };
    } catch (error) {
      return { node, outcome: 'unreachable', reason: messageOf(error), keys: [] };
    }
  }
}

const viewOf = (nodes: NodeKeys[], foreignChanged = false): KeysView => ({
  complete: nodes.every(
    ({ outcome }) => outcome === 'done' || outcome === 'unchanged' || (outcome === 'foreign' && foreignChanged),
  ),
  nodes,
});

/** @throws Fault REQUEST_INVALID, which never repeats the key. */
function fingerprintOf(action: KeyAction, key: string): string {
  if (action !== 'install' && fingerprintPattern.test(key)) return key;
  const bytes = Buffer.from(key, 'base64');
  if (keySizes.has(bytes.length) && bytes.toString('base64') === key)
    return createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  throw new Fault('REQUEST_INVALID', 'key: not a key of gossip', {
    field: 'key',
    expected: `base64 of 16, 24 or 32 bytes${action === 'install' ? '' : ', or the fingerprint of an installed key'}`,
    hint: 'das gossip keys generate makes one',
  });
}
