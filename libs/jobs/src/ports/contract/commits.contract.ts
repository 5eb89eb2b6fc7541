/// <reference types="jest" />
import { partIdOf } from '../../core/part-id.js';
import { type Given, mapRow, node1, node2, specOf } from './scenario.js';

export function commitRules(given: Given): void {
  describe('commits', () => {
    it('lets exactly one attempt win, and knows the winner again', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      await s.save(job, { attempts: [[part!, 2]] }, 1, node2);
      expect((await s.commit(job, part!, { node: node2 }, 2)).outcome).toBe('committed');
      expect((await s.commit(job, part!, {}, 1)).outcome).toBe('staleAttempt');
      expect((await s.commit(job, part!, {}, 2)).outcome).toBe('alreadyCommitted');
      const { parts } = await s.store.listParts({ job, limit: 10 });
      expect(parts.map(({ state, attempts }) => [state, attempts.map((a) => a.state)])).toEqual([
        ['committed', ['ended', 'committed']],
      ]);
      expect(await s.output(job)).toBe(mapRow(0, 10).text);
    });

    it('refuses an attempt that was ended, that never was, and that is of another generation', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      await s.save(job, { ended: [[part!, 1]] });
      for (const [attempt, generation] of [
        [1, 1],
        [7, 1],
        [1, 2],
      ] as const)
        expect((await s.commit(job, part!, {}, attempt, generation)).outcome).toBe('staleAttempt');
      expect(await s.output(job)).toBe('');
      expect(await s.open(job)).toEqual([part]);
    });

    it('keeps which weaker sandboxes its parts ran in, also when commits come at the same time', async () => {
      const s = await given();
      const job = await s.create();
      const parts = await s.assign(job, [
        [0, 2],
        [2, 4],
        [4, 6],
        [6, 8],
      ]);
      const sandboxes = async () => (await s.store.getJob({ job })).job?.sandboxes;
      const [full, ...weak] = parts;
      await s.commit(job, full!, { more: { sandbox: 'bwrap' } });
      expect(await sandboxes()).toBeUndefined();
      const layers = ['none', 'landlock', 'none'] as const;
      await Promise.all(weak.map((part, n) => s.commit(job, part, { more: { sandbox: layers[n] } })));
      expect(await sandboxes()).toEqual(['landlock', 'none']);
    });

    it('takes a commit whatever term assigned it', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      await s.lead(node2);
      expect((await s.commit(job, part!)).outcome).toBe('committed');
    });

    it('refuses a commit to a job that ended', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      await s.store.cancelJob({ job, why: 'enough' });
      expect((await s.commit(job, part!)).outcome).toBe('jobEnded');
      expect(await s.output(job)).toBe('');
    });

    it('splits a part: what is done is kept, failed items are tried again alone elsewhere, the rest goes on', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      const reply = await s.commit(job, part!, {
        done: [
          [0, 3],
          [4, 6],
        ],
        failed: [3],
        unfinished: [[6, 10]],
      });
      expect(reply.outcome).toBe('committed');
      expect(reply.failed).toEqual([]);
      expect(reply.children).toMatchObject([
        { part: 'map:3-4~1', tries: 1, avoid: node1, state: 'pending', lastAttempt: 0, live: [] },
        { part: 'map:6-10', tries: 0, state: 'pending', lastAttempt: 0, live: [] },
      ]);
      expect(await s.open(job)).toEqual(['map:3-4~1', 'map:6-10']);
      expect(await s.counts(job)).toEqual({ committed: 5, failed: 0, open: 2 });
      const again = await s.commit(job, part!, {
        done: [
          [0, 3],
          [4, 6],
        ],
        failed: [3],
        unfinished: [[6, 10]],
      });
      expect(again).toMatchObject({
        outcome: 'alreadyCommitted',
        children: [{ part: 'map:3-4~1' }, { part: 'map:6-10' }],
      });
    });

    it('fails an item for good when its tries are used up, and leaves its error in its place', async () => {
      const s = await given();
      const job = await s.create(specOf({ limits: { retries: 1 } }));
      const [part] = await s.assign(job, [[0, 10]]);
      await s.commit(job, part!, {
        done: [
          [0, 5],
          [6, 10],
        ],
        failed: [5],
      });
      const retry = partIdOf('map', 5, 6, 1);
      await s.save(job, { attempts: [[retry, 1]] }, 1, node2);
      const reply = await s.commit(job, retry, { done: [], failed: [5], node: node2 });
      expect(reply.failed).toMatchObject([{ item: 5, message: 'item 5 raised', node: node2, part: retry }]);
      expect(await s.counts(job)).toMatchObject({ committed: 9, failed: 1, open: 0, firstFailure: { item: 5 } });
      const lines = (await s.output(job)).split('\n');
      expect(JSON.parse(lines[5] ?? '')).toEqual({
        $error: { code: 'SCRIPT_RAISED', message: 'item 5 raised', item: 5 },
      });
      expect([...lines.slice(0, 5), ...lines.slice(6, 10)]).toEqual(['0', '1', '2', '3', '4', '6', '7', '8', '9']);
      expect(await s.output(job, { skipFailed: true })).toBe(mapRow(0, 5).text + mapRow(6, 10).text);
    });

    it('ends a part that cannot be tried again as failed, and says so in the counts', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      const fatal = { code: 'SCRIPT_IMPORT', message: 'no module named x' };
      const reply = await s.commit(job, part!, { done: [], more: { fatal } });
      expect(reply).toMatchObject({ outcome: 'committed', children: [], failed: [fatal] });
      expect(await s.counts(job)).toMatchObject({ committed: 0, failed: 10, open: 0, fatal });
      expect(await s.output(job)).toBe('');
    });

    it('tells the failures of a commit again when its answer was lost', async () => {
      const s = await given();
      const job = await s.create(specOf({ limits: { retries: 0 }, input: { kind: 'range', from: 0, to: 30 } }));
      const [split, whole, fatal] = await s.assign(job, [
        [0, 10],
        [10, 11],
        [11, 30],
      ]);
      const again = async (part: typeof split, outcome: Parameters<typeof s.commit>[2]) => {
        const first = await s.commit(job, part!, outcome);
        expect(first.failed.length).toBeGreaterThan(0);
        expect(await s.commit(job, part!, outcome)).toEqual({ ...first, outcome: 'alreadyCommitted' });
        return first.failed;
      };
      const failed = await again(split, { done: [[0, 7]], failed: [7, 9], unfinished: [[8, 9]] });
      expect(failed).toMatchObject([
        { item: 7, part: split, node: node1 },
        { item: 9, part: split, node: node1 },
      ]);
      await again(whole, { done: [], failed: [10] });
      const more = { fatal: { code: 'SCRIPT_IMPORT', message: 'no module x' } };
      expect(await again(fatal, { done: [], more })).toEqual([{ ...more.fatal, part: fatal, node: node1 }]);
    });

    it('tells no failure that is not stored, whatever another life of the attempt says', async () => {
      const s = await given();
      const job = await s.create(specOf({ limits: { retries: 0 } }));
      const [part] = await s.assign(job, [[0, 10]]);
      await s.commit(job, part!);
      const more = { fatal: { code: 'SCRIPT_IMPORT', message: 'no module x' } };
      for (const outcome of [
        { done: [[0, 9]] as const, failed: [9] },
        { done: [], more },
      ])
        expect(await s.commit(job, part!, outcome)).toEqual({ outcome: 'alreadyCommitted', children: [], failed: [] });
    });

    it('refuses what does not partition the range of the part, and writes nothing', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      const broken = [
        { done: [[0, 9]] },
        {
          done: [
            [0, 6],
            [5, 10],
          ],
        },
        {
          done: [
            [0, 5],
            [6, 10],
          ],
        },
        { done: [[0, 11]] },
        { done: [], unfinished: [[0, 10]] },
        { rows: [mapRow(0, 10), mapRow(0, 10)] },
        { rows: [mapRow(8, 12)] },
      ] as const;
      for (const outcome of broken)
        await expect(s.commit(job, part!, outcome)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      const [request, raw] = s.commitRequest(job, part!);
      await expect(s.store.commitPart(request, raw.subarray(1))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
      expect(await s.open(job)).toEqual([part]);
      expect(await s.output(job)).toBe('');
      expect((await s.commit(job, part!)).outcome).toBe('committed');
    });

    it('says JOB_NOT_FOUND for a job that is not there', async () => {
      const s = await given();
      await expect(s.commit(specOf().job, partIdOf('map', 0, 1, 0))).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    });

    it('takes many commits at once, refused ones among them, each with its own answer', async () => {
      const s = await given();
      const jobs = await Promise.all([
        s.create(specOf({ input: { kind: 'range', from: 0, to: 40 } })),
        s.create(specOf({ input: { kind: 'range', from: 0, to: 40 } })),
      ]);
      const ranges = Array.from({ length: 40 }, (_, i) => [i, i + 1] as const);
      for (const job of jobs) await s.assign(job, ranges);
      const commits = jobs.flatMap((job, j) =>
        ranges.flatMap(([from, to]) => {
          const store = (from + j) % 2 ? s.store : s.other;
          const part = partIdOf('map', from, to, 0);
          const bad = from % 10 === 3 ? { done: [] } : {};
          return [
            s.commit(job, part, bad, 1, 1, store).catch((e: { code: string }) => ({ outcome: e.code })),
            s.commit(job, part, {}, 9, 1, store),
          ];
        }),
      );
      const outcomes = (await Promise.all(commits)).map(({ outcome }) => outcome);
      expect(
        new Map(
          ['committed', 'REQUEST_INVALID', 'staleAttempt'].map((o) => [o, outcomes.filter((x) => x === o).length]),
        ),
      ).toEqual(
        new Map([
          ['committed', 72],
          ['REQUEST_INVALID', 8],
          ['staleAttempt', 80],
        ]),
      );
      for (const job of jobs) expect(await s.counts(job)).toMatchObject({ committed: 36, open: 4 });
    });
  });
}
