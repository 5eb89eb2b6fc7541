import { messageOf } from '@das/kernel';
import { Parser, type ReadEntry } from 'tar';
import type { GivenFile } from '../bundle.js';
import { InvalidBundleError, shown } from '../core/manifest.js';
import { Entries } from './entries.js';

const plain: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);
/** Larger than any path; anything else in such a head is of no interest. */
const metaBytesMax = 64 * 1024;
/** Bytes fed at once: a compressed archive that unpacks without end is noticed between two of them. */
const feedBytes = 64 * 1024;

/** The files of a tar archive, compressed by gzip or not. @throws InvalidBundleError. */
export function readTar(archive: Uint8Array): Promise<GivenFile[]> {
  const entries = new Entries();
  return new Promise((resolve, reject) => {
    const parser = new Parser({ strict: true, maxMetaEntrySize: metaBytesMax });
    let broken: unknown;
    const fail = (thrown: unknown): void => {
      broken ??= thrown;
      const known = broken instanceof InvalidBundleError;
      reject(known ? (broken as Error) : new InvalidBundleError(`the archive cannot be read: ${messageOf(thrown)}`));
    };
    parser.on('entry', (entry: ReadEntry) => {
      try {
        if (broken === undefined) take(entry, entries);
      } catch (error) {
        fail(error);
      }
      entry.resume();
    });
    parser.on('error', fail);
    parser.on('end', () => {
      try {
        if (broken === undefined) resolve(entries.all());
      } catch (error) {
        fail(error);
      }
    });
    for (let at = 0; at < archive.length && broken === undefined; at += feedBytes)
      parser.write(archive.subarray(at, at + feedBytes));
    if (broken === undefined) parser.end();
  });
}

function take(entry: ReadEntry, entries: Entries): void {
  if (entry.type === 'Directory' || entry.type === 'GNUDumpDir') return;
  const path = entries.path(entry.path);
  if (entry.type === 'SymbolicLink') return entries.link(path, entry.linkpath ?? '');
  // A hard link's target is a path of the archive; a symbolic one's is seen from its folder.
  if (entry.type === 'Link') return entries.link(path, up(path) + (entry.linkpath ?? '').replace(/^\.\//, ''));
  if (!plain.has(entry.type))
    throw new InvalidBundleError(`${shown(path)} is no file (${entry.type})`, 'files, folders, and links to files');
  entries.reserve(entry.size);
  const pieces: Uint8Array[] = [];
  const executable = ((entry.mode ?? 0) & 0o100) !== 0;
  entry.on('data', (piece: Uint8Array) => void pieces.push(piece));
  entry.on('end', () => entries.file(path, executable, Buffer.concat(pieces)));
}

const up = (path: string): string => '../'.repeat(path.split('/').length - 1);
