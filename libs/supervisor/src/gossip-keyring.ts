import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomKey, replaceFile } from '@das/platform/basics';

const keyBytes = 32;

/** Where a node keeps the keys of its gossip, unless it is told otherwise. */
export const keyringFile = (home: string, node: string): string => join(home, 'gossip', `${node}.keyring`);

interface Kept {
  readonly edition: number;
  readonly keys: readonly string[];
}

/**
 * Gives every node that has no keyring one, `<home>/gossip/<node>.keyring` (0600): the newest of those that others have, else a new key, the
 * same for all. Existing ones stay as they are: they may know more than we do, after a rotation. After a crash a file is there whole or not at
 * all.
 * @throws Error of the file system; Error that names an existing keyring which is none, and must not be handed on.
 */
export async function ensureKeyrings(home: string, nodes: readonly string[]): Promise<void> {
  await mkdir(join(home, 'gossip'), { recursive: true, mode: 0o711 });
  const kept = await Promise.all(nodes.map((node) => readRing(keyringFile(home, node))));
  if (!kept.includes(undefined)) return;
  const there = kept.filter((ring) => ring !== undefined).sort((one, other) => other.edition - one.edition);
  const ring = there[0] ?? freshRing();
  for (const [index, node] of nodes.entries())
    if (kept[index] === undefined) await writeRing(keyringFile(home, node), ring);
}

const freshRing = (): Kept => ({ edition: 1, keys: [Buffer.from(randomKey(keyBytes)).toString('base64')] });

const writeRing = (path: string, ring: Kept): Promise<void> =>
  replaceFile(path, `${JSON.stringify(ring, undefined, 2)}\n`);

/** Nothing when there is no file: anything else must not be overwritten by a new key. */
async function readRing(path: string): Promise<Kept | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const ring = parseRing(text);
  // Never with the file's content.
  if (ring === undefined)
    throw new Error(`${path} is no keyring; restore it, or remove it to get the keys of the others`);
  return ring;
}

/** A list is edition 0, as `serf` and operators write it. */
function parseRing(text: string): Kept | undefined {
  try {
    const value = JSON.parse(text) as Partial<Kept> | readonly string[] | null;
    const { edition, keys } = Array.isArray(value) ? { edition: 0, keys: value } : ((value ?? {}) as Partial<Kept>);
    const fits = Number.isSafeInteger(edition) && Array.isArray(keys) && keys.length > 0 && keys.every(isKey);
    return fits ? { edition: edition ?? 0, keys } : undefined;
  } catch {
    return undefined;
  }
}

const isKey = (key: unknown): boolean => {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'base64') : undefined;
  return bytes !== undefined && [16, 24, 32].includes(bytes.length) && bytes.toString('base64') === key;
};
