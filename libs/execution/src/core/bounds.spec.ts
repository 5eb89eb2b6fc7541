import { boundsOf, placeLimitsDefault } from './bounds.js';

const mib = 1024 * 1024;

describe('the limits of a job on a node', () => {
  it('are the lower of what it wants and what the node allows, and say whose they were', () => {
    const low = boundsOf({ memoryBytes: 512 * mib, processes: 9_999 }, placeLimitsDefault);
    expect([low.memoryBytes, low.processes]).toEqual([512 * mib, 256]);
    expect(low.words.memory.message).toBe('needed more than 512 MiB of memory (limit of the job; raise --memory)');
    expect(low.words.processes.message).toBe(
      'needed more than 256 processes and threads (limit of the node; raise DAS_WORKER_PROCESSES there)',
    );
  });

  it('are those of the node, and otherwise none, where the job says nothing', () => {
    const bounds = boundsOf({}, placeLimitsDefault);
    expect(bounds).toMatchObject({ ...placeLimitsDefault, itemOutputBytes: 16 * mib, logBytes: 1_000_000 });
    expect([bounds.cpuMs, bounds.wallMs, bounds.partOutputBytes]).toEqual([undefined, undefined, undefined]);
  });
});
