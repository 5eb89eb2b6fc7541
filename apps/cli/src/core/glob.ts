/** Whether a path holds a wildcard. */
export const hasWildcard = (path: string): boolean => /[*?[\]]/.test(path);

/** The folder before the first part with a wildcard: where a search begins. `''` for the current one. */
export function globBase(pattern: string): string {
  const parts = pattern.split('/');
  const first = parts.findIndex(hasWildcard);
  return parts.slice(0, first < 0 ? -1 : first).join('/') || (pattern.startsWith('/') ? '/' : '');
}

/** `*` and `?` stay within a folder, `**` crosses folders, `[a-z]` is one of these. */
export function globPattern(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    const set = /^\[[!^]?[^\]/]+\]/.exec(rest)?.[0];
    if (rest.startsWith('**/')) [source, at] = [`${source}(?:[^/]+/)*`, at + 2];
    else if (rest.startsWith('**')) [source, at] = [`${source}.*`, at + 1];
    else if (rest.startsWith('*')) source += '[^/]*';
    else if (rest.startsWith('?')) source += '[^/]';
    else if (set) [source, at] = [source + set.replace(/^\[!/, '[^').replaceAll('\\', '\\\\'), at + set.length - 1];
    else source += (pattern[at] ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`, 'u');
}
