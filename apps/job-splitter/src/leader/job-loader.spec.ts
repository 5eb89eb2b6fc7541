import { type JobRecord, type OpenPart, type Operation, loadParts } from '@das/contracts';
import { type LoadedJob, partIdOf } from '@das/jobs';
import { specOf } from '@das/jobs/contract';
import type { ServiceBus } from '@das/messaging';
import { JobLoader } from './job-loader.js';

const pageMax = 10;
const parts = (count: number): OpenPart[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ part: partIdOf('map', i, i + 1, 0), kind: 'map', from: i, to: i + 1, tries: 0, state: 'pending' },
    ...{ lastAttempt: 0, live: [] },
  }));

/** A store of jobs with this many open parts each. */
function storeWith(open: number) {
  const asked: string[] = [];
  const call = async ({ name }: Operation<unknown, unknown>, { after }: { after?: string }) => {
    asked.push(name);
    const all = parts(open);
    const from = all.findIndex(({ part }) => part === after) + 1;
    return { body: { parts: all.slice(from, from + pageMax), more: from + pageMax < open }, raw: new Uint8Array() };
  };
  return { loader: new JobLoader({ call } as unknown as ServiceBus), asked };
}

const jobOf = (open: number): LoadedJob => {
  const record: JobRecord = {
    spec: specOf(),
    state: 'running',
    generation: 1,
    sealed: true,
    items: 9,
    cut: 9,
    createdAt: 0,
  };
  return { record, counts: { committed: 0, failed: 0, open } };
};

describe('reading jobs for a new leader', () => {
  it.each([
    [0, 0],
    [1, 1],
    [pageMax, 1],
    [3 * pageMax + 1, 4],
  ])('asks once for each page of open parts: %i parts, %i requests', async (open, requests) => {
    const { loader, asked } = storeWith(open);
    expect(await loader.parts(jobOf(open))).toEqual(parts(open));
    expect(asked).toEqual(Array(requests).fill(loadParts.name));
  });
});
