import { type Stats, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshFileFor } from './fresh-file.js';

it('leaves no file behind when the mode of the old one cannot be kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'das-fresh-'));
  try {
    // Asked for once the file is there, as a file system would refuse the mode.
    const before = Object.create(statSync(folder), {
      mode: {
        get: () => {
          if (readdirSync(folder).length > 0) throw new Error('no modes here');
          return 0o600;
        },
      },
    }) as Stats;
    await expect(freshFileFor(join(folder, 'r'), before)).rejects.toThrow('no modes here');
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
