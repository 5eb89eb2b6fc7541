import { crc32, inflateRawSync } from 'node:zlib';
import { limits } from '@das/contracts';
import type { GivenFile } from '../bundle.js';
import { InvalidBundleError, shown } from '../core/manifest.js';
import { Entries } from './entries.js';

/* By its central directory (APPNOTE 6.3.9, 4.3.12): it alone tells modes and true sizes, and what stands between entries is never looked at. */

const endMark = 0x06054b50;
const entryMark = 0x02014b50;
const localMark = 0x04034b50;
/** The end record has a comment of at most this behind it. */
const endBytesMax = 22 + 0xffff;
const link = 0o120000;
const regular = 0o100000;

interface Entry {
  readonly path: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly bytes: number;
  readonly offset: number;
  /** Unix mode; 0 when the archive was made elsewhere. */
  readonly mode: number;
}

/** The files of a zip archive. @throws InvalidBundleError. */
export function readZip(archive: Uint8Array): GivenFile[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  const entries = new Entries();
  try {
    for (const entry of directory(bytes)) take(bytes, entry, entries);
  } catch (error) {
    if (error instanceof RangeError) throw broken('it breaks off');
    throw error;
  }
  return entries.all();
}

function* directory(bytes: Buffer): Generator<Entry, void> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end < bytes.length - endBytesMax || bytes.readUInt32LE(end) !== endMark)
    throw broken('it has no directory');
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff) throw broken('it is a ZIP64, made for more than a bundle holds');
  for (let n = 0; n < count; n += 1) {
    if (bytes.readUInt32LE(at) !== entryMark) throw broken('its directory is damaged');
    const nameBytes = bytes.readUInt16LE(at + 28);
    const madeOnUnix = bytes.readUInt8(at + 5) === 3;
    yield {
      path: bytes.toString('utf8', at + 46, at + 46 + nameBytes),
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      bytes: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
      mode: madeOnUnix ? bytes.readUInt16LE(at + 40) : 0,
    };
    at += 46 + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
}

function take(bytes: Buffer, entry: Entry, entries: Entries): void {
  if (entry.path.endsWith('/')) return;
  const path = entries.path(entry.path);
  const kind = entry.mode & 0o170000;
  if (kind !== 0 && kind !== regular && kind !== link)
    throw new InvalidBundleError(`${shown(path)} is no file`, 'files, folders, and links to files');
  entries.reserve(entry.bytes);
  const data = content(bytes, entry, path);
  if (kind === link) entries.link(path, Buffer.from(data).toString('utf8'));
  else entries.file(path, (entry.mode & 0o100) !== 0, data);
}

function content(bytes: Buffer, { flags, method, crc, packed, bytes: size, offset }: Entry, path: string): Uint8Array {
  if ((flags & 1) !== 0) throw new InvalidBundleError(`${shown(path)} is encrypted`);
  if (bytes.readUInt32LE(offset) !== localMark) throw broken('its directory is damaged');
  const from = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  if (from + packed > bytes.length) throw broken('it breaks off');
  const raw = bytes.subarray(from, from + packed);
  const data = method === 0 ? raw : inflated(raw, method, size, path);
  if (data.length !== size || crc32(data) !== crc) throw broken(`${path} is damaged`);
  return data;
}

function inflated(raw: Buffer, method: number, size: number, path: string): Buffer {
  if (method !== 8) throw new InvalidBundleError(`${shown(path)} is packed by method ${method}`, 'deflate, or none');
  try {
    // What says less than it holds ends here.
    return inflateRawSync(raw, { maxOutputLength: Math.min(size, limits.bundleBytesMax) + 1 });
  } catch {
    throw broken(`${path} is damaged`);
  }
}

const broken = (why: string): InvalidBundleError => new InvalidBundleError(`the zip archive cannot be read: ${why}`);
