import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keyEditionMax } from '@das/contracts';
import { messageOf } from '@das/kernel';
import { ConfigError, replaceFile } from '@das/platform';
import { z } from 'zod';
import { membershipLimits } from './limits.js';
import type { KeyRing } from './core/key-ring.js';
import { isKeyText } from './key-text.js';

const bytesMax = 16 * 1024;
const listSchema = z
  .array(z.string().refine(isKeyText, 'expected base64 of 16, 24 or 32 bytes'))
  .min(1)
  .max(membershipLimits.keysMax);

const ringSchema = z.strictObject({ edition: z.number().int().min(0).max(keyEditionMax), keys: listSchema });

/**
 * The keys of gossip on disk, for the owner's eyes only: `{"edition": 3, "keys": [...]}` with base64, the one that encrypts first; or only
 * the list, as `serf` keeps it, which is edition 0.
 */
export class KeyringFile {
  /** `named`: an operator chose and keeps it. Only what is asked for by name is changed there, never what other nodes have. */
  constructor(
    readonly path: string,
    readonly named = false,
  ) {}

  /**
   * The keys; nothing when there is no file.
   * @throws ConfigError in words: others may read it, it cannot be read, or it holds something else.
   */
  async read(): Promise<KeyRing | undefined> {
    try {
      const { mode, size } = await stat(this.path);
      if ((mode & 0o077) !== 0) {
        const given = (mode & 0o777).toString(8);
        throw this.#fault(`may be read by others (mode ${given}); chmod 600 ${this.path}`);
      }
      if (size > bytesMax) throw this.#fault(`is larger than ${bytesMax} bytes`);
      return this.#parse(await readFile(this.path, 'utf8'));
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#fault(`cannot be read: ${messageOf(error)}`);
    }
  }

  /** Replaces the file in one step: after a crash it holds the old keys or the new ones, whole. @throws Error of the file system; the old file stays. */
  async write({ edition, keys }: KeyRing): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o711 });
    await replaceFile(this.path, `${JSON.stringify({ edition, keys }, undefined, 2)}\n`);
  }

  #parse(text: string): KeyRing {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw this.#fault('is not JSON; expected a list of base64 keys');
    }
    const ring = ringSchema.safeParse(Array.isArray(value) ? { edition: 0, keys: value } : value);
    if (ring.success) return ring.data;
    const [issue] = ring.error.issues;
    const at = issue?.path[0] === 'keys' ? issue.path[1] : undefined;
    const place = at === undefined ? '' : `key ${Number(at) + 1}: `;
    throw this.#fault(`does not fit: ${place}${issue?.message ?? 'expected a list of base64 keys'}`);
  }

  /** Never with the file's content. */
  #fault(message: string): ConfigError {
    return new ConfigError([{ variable: 'DAS_GOSSIP_KEYRING_FILE', message: `${this.path} ${message}` }]);
  }
}
