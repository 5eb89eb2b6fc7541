import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { nextTurn } from './turn.js';

describe('the next turn', () => {
  it('comes after what was written before the word that one waited for, whatever else goes on', async () => {
    // It begins, prints on the other stream, then says that it is done; we are busy meanwhile, and find all of it at once.
    const text = `
import os, time
while os.read(0, 1):
    os.write(1, b"begins")
    time.sleep(0.004)
    os.write(2, b"print")
    os.write(1, b"done")
`;
    const child = spawn('/usr/bin/python3', ['-I', '-S', '-c', text], { stdio: 'pipe' });
    try {
      let [printed, said] = [0, ''];
      child.stderr.on('data', (chunk: Buffer) => (printed += chunk.length));
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      // Its words may come together when we look late: counting chunks would wait for one too many.
      const hear = async (words: string): Promise<void> => {
        while (!said.startsWith(words)) await once(child.stdout, 'data');
      };
      for (let round = 1; round <= 20; round += 1) {
        said = '';
        child.stdin.write('.');
        await hear('begins');
        // Work of other threads, which ends before the print.
        const others = stat('/');
        const busyUntil = performance.now() + 12;
        while (performance.now() < busyUntil);
        await hear('beginsdone');
        await nextTurn();
        expect(printed).toBe(round * 'print'.length);
        await others;
      }
    } finally {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
  });
});
