import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { NotStartedError } from '../ports/errors.js';
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
 * @throws NotStartedError when that cannot be told now: the machine is short of something, a file system does not answer.
 */
export async function seenAt(path: string, readable: readonly string[] | undefined): Promise<Seen> {
  const target = await realpathOf(path);
  const kind = target.path === undefined ? 'missing' : 'shown';
  if (readable === undefined) return allowed(target, { kind, path });
  const end = target.path ?? (await leadsTo(path, linksMax));
  let trouble: Error | undefined;
  for (const folder of readable) {
    const real = await realpathOf(folder).catch((error: Error) => void (trouble ??= error));
    if (real?.path === undefined || !isIn(end, real.path)) continue;
    return allowed(target, { kind, path: join(folder, relative(real.path, end)) });
  }
  // It may be in the folder that could not be looked at.
  if (trouble !== undefined) throw trouble;
  return { kind: 'closed', path };
}

/** Where a path leads; `denied`: what the system said when it is not ours to know. */
interface Target {
  readonly path?: string;
  readonly denied?: Error;
}

function allowed({ denied }: Target, seen: Seen): Seen {
  if (denied !== undefined) throw denied;
  return seen;
}

/** @throws NotStartedError for what may pass. */
async function realpathOf(path: string): Promise<Target> {
  try {
    return { path: await realpath(path) };
  } catch (error) {
    if (isMissing(error)) return {};
    const denied = notNow(path, error);
    if (codeOf(error) === 'EACCES') return { denied };
    throw denied;
  }
}

/** Where a path would be that is not there. */
async function leadsTo(path: string, linksLeft: number): Promise<string> {
  const link = linksLeft > 0 ? await readlink(path).catch(() => undefined) : undefined;
  if (link !== undefined) return leadsTo(resolve(dirname(path), link), linksLeft - 1);
  const parent = dirname(path);
  if (parent === path) return path;
  return join((await realpathOf(parent)).path ?? (await leadsTo(parent, linksLeft - 1)), basename(path));
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Nothing can be there: the next look tells the same. */
export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error) ?? '');

/** The next look may tell more. */
export const notNow = (path: string, cause: unknown): NotStartedError =>
  new NotStartedError(`${path} cannot be looked at now (${codeOf(cause) ?? 'no reason given'})`, { cause });
