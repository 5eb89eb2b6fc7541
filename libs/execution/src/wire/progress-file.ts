import { close, constants, openSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Place } from '../ports/launch.js';
import type { Furnished, WorkerPosition } from '../ports/runtime.js';

const closed = promisify(close);
const fileName = '.das-progress';
const progressBytes = 32;
/** Where the confirmations are counted. */
const confirmationsAt = 16;
const cancelledAt = 24;
const noItem = 2n ** 64n - 1n;
const yes = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/**
 * A file in the worker's folder, which a worker may map into memory: [u64 item][u64 progress][u64 confirmations][u64 cancelled], little endian. The worker
 * writes the first two, we the others; it can be read also after the worker's death. @throws the system's error; nothing is left open.
 */
export async function progressFile(place: Place): Promise<Furnished> {
  const path = join(place.folder, fileName);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await file.truncate(progressBytes);
    if (place.account !== undefined) await file.chown(place.account.uid, place.account.gid);
  } finally {
    await file.close();
  }
  // Opened before the worker exists: what the script does to the name later does not matter.
  return progressIn(openSync(path, 'r+'));
}

function progressIn(handle: number): Furnished {
  const buffer = Buffer.alloc(progressBytes);
  const confirmations = Buffer.alloc(8);
  let open = true;
  const position = (): WorkerPosition => {
    if (open) readSync(handle, buffer, 0, progressBytes, 0);
    const item = buffer.readBigUInt64LE(0);
    return {
      item: item === noItem || item > Number.MAX_SAFE_INTEGER ? undefined : Number(item),
      counter: Number(buffer.readBigUInt64LE(8)),
    };
  };
  const confirm = (): void => {
    confirmations.writeBigUInt64LE(confirmations.readBigUInt64LE() + 1n);
    if (open) writeSync(handle, confirmations, 0, confirmations.length, confirmationsAt);
  };
  const cancel = (): void => void (open && writeSync(handle, yes, 0, yes.length, cancelledAt));
  return {
    position,
    confirm,
    cancel,
    close: async () => {
      if (!open) return;
      open = false;
      // The file may be gone already: then its blocks are freed here, which takes the disk a while (measured: 2 ms).
      await closed(handle);
    },
  };
}
