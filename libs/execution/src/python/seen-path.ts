import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isIn } from '../sandbox/system-folders.js';

/** What scripts see of a path of the host. `path`: where they find it; of one that they do not see, where it leads to, as far as it goes. */
export interface Seen {
  readonly kind: 'shown' | 'missing' | 'closed';
  readonly path: string;
}

/** Links followed by hand, as many as the kernel follows. */
const linksMax = 40;

/**
 * Looks at a path, through links: only the folders that scripts may read are shown to them, each at its own path. Whether anything is there that they
 * may not read is not told. `readable` undefined: they see all that the host has.
 */
export async function seenAt(path: string, readable: readonly string[] | undefined): Promise<Seen> {
  const target = await realpathOf(path);
  if (readable === undefined) return { kind: target === undefined ? 'missing' : 'shown', path };
  const end = target ?? (await leadsTo(path, linksMax));
  for (const folder of readable) {
    const real = await realpathOf(folder);
    if (real === undefined || !isIn(end, real)) continue;
    return { kind: target === undefined ? 'missing' : 'shown', path: join(folder, relative(real, end)) };
  }
  return { kind: 'closed', path };
}

const realpathOf = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);

/** Where a path would be that is not there. */
async function leadsTo(path: string, linksLeft: number): Promise<string> {
  const link = linksLeft > 0 ? await readlink(path).catch(() => undefined) : undefined;
  if (link !== undefined) return leadsTo(resolve(dirname(path), link), linksLeft - 1);
  const parent = dirname(path);
  if (parent === path) return path;
  return join((await realpathOf(parent)) ?? (await leadsTo(parent, linksLeft - 1)), basename(path));
}
