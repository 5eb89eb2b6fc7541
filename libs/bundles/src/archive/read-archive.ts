import { type Bundle, type GivenFile, bundleOf, packMagic } from '../bundle.js';
import { InvalidBundleError } from '../core/manifest.js';
import { readPack } from '../unpack.js';
import { readTar } from './tar.js';
import { readZip } from './zip.js';

export type ArchiveKind = 'pack' | 'zip' | 'gzip' | 'tar';

/** Bytes that tell what they are: the mark of a tar comes last. */
export const archiveHeadBytes = 512;

/** What the first bytes say; undefined: no archive. No script that an interpreter takes begins like one. */
export function archiveKind(bytes: Uint8Array): ArchiveKind | undefined {
  const head = Buffer.from(bytes.subarray(0, archiveHeadBytes)).toString('latin1');
  if (head.startsWith(packMagic)) return 'pack';
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return 'zip';
  if (head.startsWith('\x1f\x8b')) return 'gzip';
  return head.slice(257, 262) === 'ustar' ? 'tar' : undefined;
}

/** The bundle that an archive holds. @throws InvalidBundleError in words about the archive. */
export async function readArchive(bytes: Uint8Array): Promise<Bundle> {
  return bundleOf(await filesOf(bytes));
}

function filesOf(bytes: Uint8Array): Promise<GivenFile[]> | GivenFile[] {
  switch (archiveKind(bytes)) {
    case 'pack':
      return readPack(bytes);
    case 'zip':
      return readZip(bytes);
    case 'gzip':
    case 'tar':
      return readTar(bytes);
    case undefined:
      throw new InvalidBundleError('it is no archive', '.tar, .tar.gz, .tgz or .zip');
  }
}
