import { SpoolWriteError, spoolName } from '../ports/spool-files.js';
import { spoolFilesContract } from '../ports/spool-files.contract.js';
import { MemorySpool } from './memory-spool.js';

spoolFilesContract('memory', async () => {
  const files = new MemorySpool();
  return { files, again: () => files, damage: async (name) => void files.broken.add(name) };
});

describe('a spool in memory', () => {
  it('refuses when it is told to, and sets broken ones aside at its next start', async () => {
    const files = new MemorySpool();
    files.refusal = 'no space left';
    await expect(files.write(spoolName('j/1/main:0-1/1'), { head: '{}', raw: [] })).rejects.toBeInstanceOf(
      SpoolWriteError,
    );
    files.refusal = undefined;
    await files.write(spoolName('j/1/main:0-1/1'), { head: '{}', raw: [] });
    files.broken.add(spoolName('j/1/main:0-1/1'));
    expect((await files.open()).torn).toHaveLength(1);
  });
});
