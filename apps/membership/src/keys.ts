import { type GossipKeysReply, type KeyAction, keyEditionMax } from '@das/contracts';
import { type Cancel, type Clock, messageOf } from '@das/kernel';
import type { Keyring } from '@das/memberlist';
import type { Logger } from '@das/platform';
import { membershipLimits } from './limits.js';
import { type RingKey, planKeys } from './core/key-plan.js';
import { type KeyRing, isNewer } from './core/key-ring.js';
import { isKeyText, keyBytes, keyText, ringKey, shownKeys } from './key-text.js';
import type { KeyringFile } from './keyring-file.js';

const fingerprint = /^[0-9a-f]{8}$/;

/**
 * What became of newer keys: `named`, the keyring file is an operator's and says something else; `refused`, they are not newer any more or do
 * not fit; `failed`, the file cannot be written. Only `adopted` and `same` (the own keys, of a higher edition) change anything.
 */
export type Adoption = 'adopted' | 'same' | 'named' | 'refused' | 'failed';

/** The keys of this node's gossip: changed in the file first and then in use, one change at a time. */
export class GossipKeys {
  #turn: Promise<unknown> = Promise.resolve();
  #cancelRetiring: Cancel = () => undefined;
  #ring: KeyRing;

  /** `ring` is what `keyring` was made of. */
  constructor(
    private readonly keyring: Keyring,
    private readonly file: KeyringFile,
    ring: KeyRing,
    private readonly tools: { readonly log: Logger; readonly clock: Clock },
  ) {
    this.#ring = ring;
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Where an operator keeps the keys, if one does. */
  get namedFile(): string | undefined {
    return this.file.named ? this.file.path : undefined;
  }

  stop(): void {
    this.#cancelRetiring();
  }

  /** One step of a rotation. A refusal, and a file that cannot be written, leave everything as it was. */
  act(action: KeyAction, key: string | undefined): Promise<GossipKeysReply> {
    const done = this.#turn.then(() => this.#act(action, key));
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Takes newer keys of the cluster instead of its own, which decrypt for a while yet. */
  adopt(ring: KeyRing): Promise<Adoption> {
    const done = this.#turn.then(() => this.#adopt(ring));
    this.#turn = done;
    return done;
  }

  async #adopt(ring: KeyRing): Promise<Adoption> {
    const { edition, keys } = ring;
    const fits = keys.length > 0 && keys.length <= membershipLimits.keysMax && keys.every(isKeyText);
    if (!fits || !isNewer(edition, this.#ring)) return 'refused';
    const isSame = keys.join() === this.#ring.keys.join();
    if (this.file.named && !isSame) return 'named';
    if (this.file.named) this.#ring = ring;
    try {
      if (!this.file.named) await this.#keep('adopt', ring);
      return isSame ? 'same' : 'adopted';
    } catch {
      return 'failed';
    }
  }

  async #act(action: KeyAction, key: string | undefined): Promise<GossipKeysReply> {
    const ring = this.#ring.keys.map(ringKey);
    const refused = (reason: string): GossipKeysReply => ({ outcome: 'refused', reason, keys: shownKeys(ring) });
    if (action !== 'list' && !isKey(action, key)) return refused('not a key: expected base64 of 16, 24 or 32 bytes');
    const plan = planKeys(ring, action, asRingKey(key ?? ''), membershipLimits.keysMax);
    if (plan.outcome === 'refused') return refused(plan.reason);
    if (plan.outcome === 'done') {
      try {
        const edition = Math.min(this.#ring.edition + (action === 'install' ? 0 : 1), keyEditionMax);
        await this.#keep(action, { edition, keys: plan.keys.map(({ text }) => text) });
      } catch (error) {
        return refused(`its keyring file cannot be written: ${messageOf(error).slice(0, 200)}`);
      }
    }
    return { outcome: plan.outcome, keys: shownKeys(plan.keys) };
  }

  /** @throws Error of the file system; nothing changed. */
  async #keep(action: string, ring: KeyRing): Promise<void> {
    await this.file.write(ring);
    this.#ring = ring;
    for (const text of ring.keys) this.keyring.add(keyBytes(text));
    const [primary] = ring.keys;
    if (primary !== undefined) this.keyring.use(keyBytes(primary));
    this.#cancelRetiring();
    if (action === 'adopt')
      this.#cancelRetiring = this.tools.clock.timer(membershipLimits.retireKeysMs, () => this.#dropOthers());
    else this.#dropOthers();
    const keys = shownKeys(ring.keys.map(ringKey));
    this.tools.log.info({ action, edition: ring.edition, keys }, `gossip keys changed: ${action}`);
  }

  #dropOthers(): void {
    for (const key of this.keyring.keys) if (!this.#ring.keys.includes(keyText(key))) this.keyring.remove(key);
  }
}

const isKey = (action: KeyAction, key: string | undefined): key is string =>
  key !== undefined && (isKeyText(key) || (action !== 'install' && fingerprint.test(key)));

const asRingKey = (text: string): RingKey => (isKeyText(text) ? ringKey(text) : { text, fingerprint: text });
