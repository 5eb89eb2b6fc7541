import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { identify, isAlive, signalProcess } from './process-identity.js';

describe('the identity of a process', () => {
  it('holds while it lives, and no longer', async () => {
    const child = spawn('sleep', ['60']);
    try {
      const identity = await identify(child.pid ?? 0);
      expect(identity).toEqual({ pid: child.pid, started: expect.stringMatching(/^\d+$/) });
      expect(await isAlive(identity!)).toBe(true);
      signalProcess(child.pid ?? 0, 'SIGKILL');
      await once(child, 'exit');
      expect(await isAlive(identity!)).toBe(false);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is not that of a later process with the same pid', async () => {
    const self = await identify(process.pid);
    expect(await isAlive({ ...self!, started: '1' })).toBe(false);
  });

  it('is nobody for a pid that no process can have', async () => {
    expect([await identify(0), await identify(-1), await identify(2 ** 30)]).toEqual([undefined, undefined, undefined]);
  });

  it('lets a process be signalled that is gone already', () =>
    expect(() => signalProcess(2 ** 22 + 12_345, 'SIGTERM')).not.toThrow());
});
