import { InvalidBundleError, shown } from './manifest.js';
import { comparePaths } from './paths.js';

/** What a bundle begins with when nobody says, the first that is there. */
const names = ['main', 'job', '__main__', 'index'] as const;

/**
 * The file that defines the job's functions. `extensions`: of the languages, with the dot.
 * @throws InvalidBundleError when the one that was named is not there, or none stands out.
 */
export function chooseEntry(
  paths: readonly string[],
  wanted: string | undefined,
  extensions: readonly string[],
): string {
  if (wanted !== undefined) {
    if (paths.includes(wanted)) return wanted;
    throw new InvalidBundleError(`the bundle has no file ${shown(wanted)}`, `one of ${some(paths)}`);
  }
  for (const name of names)
    for (const extension of extensions) if (paths.includes(`${name}${extension}`)) return `${name}${extension}`;
  const scripts = paths.filter(
    (path) => !path.includes('/') && extensions.some((extension) => path.endsWith(extension)),
  );
  const [only] = scripts;
  if (only !== undefined && scripts.length === 1) return only;
  const expected = `main${extensions[0] ?? ''} or job${extensions[0] ?? ''} at its top, or --entry FILE`;
  throw new InvalidBundleError(`nothing says which of ${some(paths)} the script is`, expected);
}

function some(paths: readonly string[]): string {
  const first = [...paths].sort(comparePaths).slice(0, 5);
  return `${first.join(', ')}${paths.length > first.length ? ` and ${paths.length - first.length} more` : ''}`;
}
