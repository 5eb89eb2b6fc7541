import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { newId } from '@das/platform/basics';

/** A file nobody else knows yet. */
export interface FreshFile {
  readonly path: string;
  readonly handle: FileHandle;
}

const newFileMode = 0o666;
const modeBits = 0o7777;
const irreplaceable: ReadonlySet<string | undefined> = new Set(['EACCES', 'EBUSY', 'EPERM', 'EROFS', 'EXDEV']);

/** A folder refused a new name: it is not ours to change, or the file in it is a mount of its own. The file may still be writable. */
export const isIrreplaceable = (thrown: unknown): boolean => irreplaceable.has((thrown as NodeJS.ErrnoException).code);

/** What is to become the file `path`: beside it, or, if one is there in a folder that takes no other, among the temporary files. */
export async function freshFileFor(path: string, before: Stats | undefined): Promise<FreshFile> {
  if (before === undefined) return create(dirname(path), newFileMode);
  const fresh = await create(dirname(path), before.mode & 0o600).catch((thrown: unknown) => {
    if (!isIrreplaceable(thrown)) throw thrown;
  });
  if (fresh === undefined) return create(tmpdir(), 0o600);
  try {
    await keepAs(fresh.handle, before);
  } catch (thrown) {
    await discard(fresh);
    throw thrown;
  }
  return fresh;
}

/** Never throws for a file that is closed or gone already. */
export async function discard({ path, handle }: FreshFile): Promise<void> {
  await handle.close().catch(() => undefined);
  await rm(path, { force: true });
}

/** The name is short whatever that of the result is. */
async function create(folder: string, mode: number): Promise<FreshFile> {
  const path = join(folder, `.das-${newId()}.partial`);
  return { path, handle: await open(path, 'wx', mode) };
}

/** Mode and owner of the file that was there; the owner where we may give files away. */
async function keepAs(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  await handle.chown(uid, gid).catch(() => undefined);
  await handle.chmod(mode & modeBits);
}
