import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Shown } from '../core/room-args.js';

/** Where programs and their libraries are on every system that we know. */
export const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** The host's folders of programs, and `more`: what lies in none of them. */
export function systemFolders(more: readonly string[]): Shown[] {
  const system = systemPaths.filter((path) => existsSync(path)).map(asShown);
  const others = more.filter((path) => existsSync(path) && !systemPaths.some((folder) => isIn(path, folder)));
  return [...system, ...[...new Set(others)].sort().map((path) => ({ path }))];
}

function asShown(path: string): Shown {
  return lstatSync(path).isSymbolicLink() ? { path, link: readlinkSync(path) } : { path };
}

export const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Whether a path is too wide to be shown: it would bring people's files along. */
export const isTooWide = (path: string): boolean => path === '/' || dirname(path) === '/';
