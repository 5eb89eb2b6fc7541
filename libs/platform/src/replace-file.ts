import { open, rename, rm } from 'node:fs/promises';

/**
 * Replaces a file in one step, for its owner's eyes only (0600): after a crash it holds the old text or the new one, whole. Its folder has to be there.
 * @throws Error of the file system; the old file stays.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  // Made by us and by nobody before us: a file that stood there might be open to others.
  const file = await open(fresh, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}
