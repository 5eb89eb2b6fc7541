import { Fault, partIdSchema } from '@das/contracts';
import type { Assignment } from '@das/contracts';
import { jobId } from '@das/kernel';
import { ItemPages } from './pages.js';
import type { StoreClient } from './store-client.js';

const part: Assignment = {
  ...{ job: jobId('j'), generation: 1, part: partIdSchema.parse('map:3-5'), attempt: 1 },
  ...{ kind: 'map', from: 3, to: 5, tries: 0 },
};
const away = {
  ask: () => Promise.reject(new Fault('STORE_UNAVAILABLE', 'asked without need')),
} as unknown as StoreClient;

describe('the items of a part', () => {
  it('need no store when they came with the assignment', async () => {
    const pages = new ItemPages(away, { ...part, lines: '3\n"é"\n' }, new AbortController().signal);
    await pages.ready();
    expect(await pages.next()).toEqual({ count: 2, source: 0, raw: Buffer.from('3\n"é"\n') });
    expect(await pages.next()).toBeUndefined();
  });

  it('are fetched else', async () => {
    const pages = new ItemPages(away, part, new AbortController().signal);
    await expect(pages.next()).rejects.toThrow('asked without need');
  });
});
