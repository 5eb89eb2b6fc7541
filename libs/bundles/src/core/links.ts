import { InvalidBundleError, shown } from './manifest.js';
import { normalPath } from './paths.js';

/** Links that lead to links: more in a row are taken for a circle. */
const hopsMax = 8;

/**
 * The file of the bundle that a symbolic link stands for; whoever unpacks a bundle makes no links.
 * @throws InvalidBundleError when it leads elsewhere.
 */
export function linkTarget(path: string, links: ReadonlyMap<string, string>, files: ReadonlySet<string>): string {
  let at = path;
  for (let hops = 0; hops < hopsMax; hops += 1) {
    const target = links.get(at);
    if (target === undefined) break;
    at = besides(at, target, path);
  }
  if (files.has(at)) return at;
  throw new InvalidBundleError(
    `the link ${shown(path)} leads to no file of the bundle`,
    'links to files inside it, or copies',
  );
}

function besides(link: string, target: string, first: string): string {
  const away = new InvalidBundleError(`the link ${shown(first)} leads out of the bundle`, 'links to files inside it');
  if (target.startsWith('/')) throw away;
  const parts = link.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw away;
  }
  return normalPath(parts.join('/'));
}
