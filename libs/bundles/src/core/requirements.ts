import { InvalidBundleError, shown } from './manifest.js';

/** The file of a bundle that names Python packages. */
export const requirementsFile = 'requirements.txt';
/** Lines, and characters of one: a lock file of a large project has some hundreds. */
const linesMax = 2_000;
const lineCharsMax = 1_000;

/** `name[extras] versions ; marker`, and hashes. Addresses, paths and options would reach where the node's owner did not say. */
const requirement =
  /^[A-Za-z0-9][A-Za-z0-9._-]*(?:\s*\[[A-Za-z0-9._,\s-]*\])?(?:\s*(?:===|[=~!<>]=|[<>])\s*[A-Za-z0-9*][A-Za-z0-9.*+!_-]*\s*,?)*(?:\s*;[^#@/\\]*)?(?:\s+--hash=sha(?:256|384|512):[0-9a-f]+)*$/;

/** The requirements of a file, one a line, without comments. @throws InvalidBundleError for anything but names and versions. */
export function parseRequirements(text: string): string[] {
  const lines = text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
  if (lines.length > linesMax) throw new InvalidBundleError(`${requirementsFile} has more than ${linesMax} lines`);
  for (const line of lines) {
    if (line.length <= lineCharsMax && requirement.test(line)) continue;
    const expected = 'names and versions like "numpy>=1.26; python_version>=\'3.9\'"; no options, addresses or paths';
    throw new InvalidBundleError(`${requirementsFile} has a line that is not taken: ${shown(line)}`, expected);
  }
  return lines;
}
