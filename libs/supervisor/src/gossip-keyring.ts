import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomKey } from '@das/platform/basics';

const keyBytes = 32;

/** Where a node keeps the keys of its gossip, unless it is told otherwise. */
export const keyringFile = (home: string, node: string): string => join(home, 'gossip', `${node}.keyring`);

/**
 * Gives every node that has no keyring one, `<home>/gossip/<node>.keyring` (0600): that of a node that has, else a new key, the same for all.
 * Existing ones stay as they are: they may know more than we do, after a rotation.
 * @throws Error of the file system.
 */
export async function ensureKeyrings(home: string, nodes: readonly string[]): Promise<void> {
  await mkdir(join(home, 'gossip'), { recursive: true, mode: 0o711 });
  const kept = await Promise.all(nodes.map((node) => readFile(keyringFile(home, node), 'utf8').catch(notThere)));
  const ring = kept.find((text) => text !== undefined) ?? freshRing();
  for (const [index, node] of nodes.entries()) {
    if (kept[index] !== undefined) continue;
    const file = keyringFile(home, node);
    await writeFile(file, ring, { mode: 0o600, flag: 'wx' });
    await chmod(file, 0o600);
  }
}

const freshRing = (): string =>
  `${JSON.stringify([Buffer.from(randomKey(keyBytes)).toString('base64')], undefined, 2)}\n`;

/** Anything but a missing file must not be overwritten by a new key. */
function notThere(thrown: unknown): undefined {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
  return undefined;
}
