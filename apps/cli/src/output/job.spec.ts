import type { JobView } from '@das/contracts';
import { jobText } from './job.js';

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
});
