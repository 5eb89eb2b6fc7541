import type { Assignment } from '@das/contracts';
import { MemorySpool, attemptKey } from '@das/execution';
import { type PartId, jobId, nodeId } from '@das/kernel';
import type { Logger } from '@das/platform';
import { FakeClock, settled } from '@das/testing';
import type { Told } from './commit.js';
import type { HeldCommit } from './held-commit.js';
import { OutputSpool } from './output-spool.js';
import { readTriesMax } from './spool-reader.js';
import type { StoreClient } from './store-client.js';

const part = 'map:0-1' as PartId;
const assignment: Assignment = {
  ...{ job: jobId('job-1'), generation: 1, part, attempt: 1 },
  ...{ kind: 'map', from: 0, to: 1, tries: 0 },
};
const key = attemptKey(assignment);
const held: HeldCommit = {
  assignment,
  request: {
    attempt: { job: assignment.job, generation: 1, part, attempt: 1 },
    ...{ node: nodeId('node-1'), rows: [], done: [], failures: [], unfinished: [], busyMs: 1 },
  },
  ...{ items: 1, rows: [], raw: [] },
};

/** A disk of which the next reads fail. */
class MoodySpool extends MemorySpool {
  failing = 0;
  reads = 0;
  override read(name: string): ReturnType<MemorySpool['read']> {
    this.reads += 1;
    if (this.failing-- > 0)
      return Promise.reject(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }));
    return super.read(name);
  }
}

describe('a spool whose disk cannot be read', () => {
  function given() {
    const [clock, files] = [new FakeClock(), new MoodySpool()];
    const warnings: string[] = [];
    const quiet = (): void => undefined;
    const log: Logger = { debug: quiet, info: quiet, warn: (_, line) => void warnings.push(line), error: quiet };
    const judged = { body: { outcome: 'committed', children: [], failed: [] } };
    const store = { askOnce: () => Promise.resolve(judged) } as unknown as StoreClient;
    const ended: Array<[kind: string, outcome: Told['outcome'], why: string | undefined]> = [];
    const spool = new OutputSpool({ files, store, clock, log }, { bytesMax: 10_000, filesMax: 10 });
    spool.start({
      handedOver: quiet,
      ended: (_key, _assignment, kind, { outcome, why }) => void ended.push([kind, outcome, why]),
    });
    /** Until it ended, or for as long as its tries may take. */
    const offered = async () => {
      spool.offer(key, () => held);
      await settled();
      for (let passed = 0; passed < 90_000 && ended.length === 0; passed += 500) await clock.advanceAsync(500);
      await spool.close();
    };
    return { files, warnings, ended, offered };
  }

  it('for a moment keeps the output, says so once, and commits it when it can', async () => {
    const { files, warnings, ended, offered } = given();
    files.failing = 3;
    await offered();
    expect(ended).toEqual([['settled', 'committed', undefined]]);
    expect(warnings).toEqual([expect.stringMatching(/cannot be read: EMFILE.*tried again/)]);
    expect(files.files.size).toBe(0);
  });

  it('for long gives the attempt back after a bounded number of tries', async () => {
    const { files, ended, offered } = given();
    files.failing = Number.POSITIVE_INFINITY;
    await offered();
    expect(ended).toEqual([['givenBack', 'abandoned', expect.stringContaining('cannot be read: EMFILE')]]);
    expect(files.reads).toBe(readTriesMax);
  });
});
