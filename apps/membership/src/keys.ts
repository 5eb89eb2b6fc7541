import type { GossipKeysReply, KeyAction } from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { Keyring } from '@das/memberlist';
import type { Logger } from '@das/platform';
import { membershipLimits } from './limits.js';
import { type RingKey, planKeys } from './core/key-plan.js';
import { isKeyText, keyBytes, keyText, ringKey, shownKeys } from './key-text.js';
import type { KeyringFile } from './keyring-file.js';

const fingerprint = /^[0-9a-f]{8}$/;

/** The keys of this node's gossip: changed in the file first and then in use, one change at a time. */
export class GossipKeys {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly keyring: Keyring,
    private readonly file: KeyringFile,
    private readonly log: Logger,
  ) {}

  get texts(): string[] {
    return this.keyring.keys.map(keyText);
  }

  /** One step of a rotation. A refusal, and a file that cannot be written, leave everything as it was. */
  act(action: KeyAction, key: string | undefined): Promise<GossipKeysReply> {
    const done = this.#turn.then(() => this.#act(action, key));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Takes the keys of the cluster instead of its own, which were removed there. False: they do not fit, and nothing changed. */
  adopt(keys: readonly string[]): Promise<boolean> {
    const fits = keys.length > 0 && keys.length <= membershipLimits.keysMax && keys.every(isKeyText);
    if (!fits || this.texts.length === 0) return Promise.resolve(false);
    const done = this.#turn.then(() => this.#keep('adopt', keys.map(ringKey)));
    this.#turn = done.catch(() => undefined);
    return done.then(
      () => true,
      () => false,
    );
  }

  async #act(action: KeyAction, key: string | undefined): Promise<GossipKeysReply> {
    const ring = this.texts.map(ringKey);
    const refused = (reason: string): GossipKeysReply => ({ outcome: 'refused', reason, keys: shownKeys(ring) });
    if (action !== 'list' && !isKey(action, key)) return refused('not a key: expected base64 of 16, 24 or 32 bytes');
    const plan = planKeys(ring, action, asRingKey(key ?? ''), membershipLimits.keysMax);
    if (plan.outcome === 'refused') return refused(plan.reason);
    if (plan.outcome === 'done') {
      try {
        await this.#keep(action, plan.keys);
      } catch (error) {
        return refused(`its keyring file cannot be written: ${messageOf(error).slice(0, 200)}`);
      }
    }
    return { outcome: plan.outcome, keys: shownKeys(plan.keys) };
  }

  /** @throws Error of the file system; nothing changed. */
  async #keep(action: string, keys: readonly RingKey[]): Promise<void> {
    await this.file.write(keys.map(({ text }) => text));
    const kept = new Set(keys.map(({ text }) => text));
    for (const { text } of keys) this.keyring.add(keyBytes(text));
    const [primary] = keys;
    if (primary !== undefined) this.keyring.use(keyBytes(primary.text));
    for (const text of this.texts) if (!kept.has(text)) this.keyring.remove(keyBytes(text));
    this.log.info({ action, keys: shownKeys(keys) }, `gossip keys changed: ${action}`);
  }
}

const isKey = (action: KeyAction, key: string | undefined): key is string =>
  key !== undefined && (isKeyText(key) || (action !== 'install' && fingerprint.test(key)));

const asRingKey = (text: string): RingKey => (isKeyText(text) ? ringKey(text) : { text, fingerprint: text });
