import type { JobView } from '@das/contracts';
import { jobText, outcomeLines } from './job.js';

const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
const job = {
  ...{ id: 'j-1', name: 'job.py', state: 'running', generation: 1, contact: 'node-1', functions, openParts: 0 },
  ...{ items: { total: 1, final: true, committed: 0, failed: 0 }, createdAt: 'today' },
} as unknown as JobView;

describe('das job', () => {
  it('shows the limits that its user set, as they are typed', () => {
    const limits = { memoryBytes: 512 * 2 ** 20, cpuMs: 60_000, processes: 64 };
    expect(jobText({ ...job, limits })).toContain('limits      memory 512 MiB, cpu-time 1 min 00 s, processes 64');
    expect(jobText(job)).not.toContain('limits');
  });

  it('says where its parts ran when that was not the full sandbox, and so does its end', () => {
    const none = 'no sandbox (DAS_SANDBOX=none)';
    expect(jobText({ ...job, sandboxes: ['none'] })).toContain(`sandbox     ${none}`);
    expect(jobText(job)).not.toContain('sandbox');
    for (const state of ['succeeded', 'failed'] as const) {
      const [said] = outcomeLines({ ...job, state, sandboxes: ['landlock', 'none'] }).slice(-1);
      const weaker = 'a weaker sandbox (landlock; docs/security.md)';
      expect(said).toBe(`warning: it ran, in part or as a whole, with ${weaker}, and with ${none}`);
      expect(outcomeLines({ ...job, state }).join()).not.toContain('sandbox');
    }
  });

  it('shows the virtual environment', () =>
    expect(jobText({ ...job, venv: '/srv/green' })).toContain('venv        /srv/green'));
});
