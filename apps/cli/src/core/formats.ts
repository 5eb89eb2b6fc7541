import { hasWildcard } from './glob.js';
import { UsageError } from './parse.js';

export const formats = ['ndjson', 'lines', 'files'] as const;
export type Format = (typeof formats)[number];

/** What is found at the path of `--input`. */
export type Found = 'stdin' | 'file' | 'folder' | 'glob' | 'nothing';

/** @throws UsageError for a format that is not known. */
export function parseFormat(text: string | undefined): Format | undefined {
  if (text === undefined) return undefined;
  const format = formats.find((known) => known === text);
  if (!format)
    throw new UsageError(`${JSON.stringify(text)} is not a format`, {
      field: '--format',
      expected: formats.join(', '),
    });
  return format;
}

/** The format of an input that was given none: by its kind, then by its extension. @throws UsageError when both do not fit. */
export function formatOf(path: string, found: Found, wanted: Format | undefined): Format {
  if (found === 'nothing') {
    throw new UsageError(`there is no ${path}`, {
      field: '--input',
      expected: hasWildcard(path)
        ? 'a pattern that some file matches'
        : 'a file, a folder, a pattern like "data/*.txt", or - for standard input',
    });
  }
  const many = found === 'folder' || found === 'glob';
  if (wanted === undefined) {
    if (many) return 'files';
    if (/\.json$/i.test(path))
      throw new UsageError(`${path} may be one JSON document, or one per line`, {
        field: '--format',
        expected: 'ndjson (a JSON value on each line), lines (each line a text) or files (the whole file one item)',
        hint: 'give --format; of a JSON array: python3 -c "import json,sys; [print(json.dumps(x)) for x in json.load(sys.stdin)]"',
      });
    return found === 'stdin' || /\.(ndjson|jsonl)$/i.test(path) ? 'ndjson' : 'lines';
  }
  if (many && wanted !== 'files')
    throw new UsageError(`${path} is more than one file`, { field: '--format', expected: 'files' });
  if (found === 'stdin' && wanted === 'files')
    throw new UsageError('standard input has no files', { field: '--format', expected: 'ndjson, lines' });
  return wanted;
}
