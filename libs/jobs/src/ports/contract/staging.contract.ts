/// <reference types="jest" />
import { type Given, linesFrom, mapRow, node2 } from './scenario.js';

export function stagingRules(given: Given): void {
  describe('output sent ahead', () => {
    const row = (from: number, to: number, seq: number, text: string) => ({
      row: { ...mapRow(from, to, text, seq).row, bytes: text.length },
      text,
    });

    it('is seen by nobody before the commit, then in its place', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 2]]);
      const ahead = [row(0, 1, 0, '"one'), row(0, 1, 1, ' two"\n')];
      const attempt = { job, generation: 1, part: part!, attempt: 1 };
      const raw = new TextEncoder().encode(ahead.map(({ text }) => text).join(''));
      const request = { attempt, rows: ahead.map((r) => r.row) };
      expect(await s.store.stageOutput(request, raw)).toEqual({ outcome: 'staged' });
      expect(await s.store.stageOutput(request, raw)).toEqual({ outcome: 'staged' });
      expect(await s.output(job)).toBe('');
      await s.commit(job, part!, { rows: [mapRow(1, 2)] });
      expect(await s.output(job)).toBe('"one two"\n1\n');
      expect(await s.output(job, { contiguousFrom: 0 })).toBe('"one two"\n1\n');
    });

    it('is taken of the run that commits, and of no other life of the attempt', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 10]]);
      const stage = (run: string, ranges: readonly (readonly [number, number])[]) => {
        const rows = ranges.map(([from, to]) =>
          row(
            from,
            to,
            0,
            linesFrom(from, to, (i) => `"${run}${i}"`),
          ),
        );
        const attempt = { job, generation: 1, part: part!, attempt: 1 };
        const raw = new TextEncoder().encode(rows.map(({ text }) => text).join(''));
        return s.store.stageOutput({ attempt, run, rows: rows.map((r) => r.row) }, raw);
      };
      await stage('a', [
        [0, 4],
        [4, 8],
      ]);
      await stage('b', [[0, 5]]);
      const inline = mapRow(
        5,
        10,
        linesFrom(5, 10, (i) => `"b${i}"`),
      );
      await s.commit(job, part!, { rows: [inline], more: { run: 'b' } });
      expect(await s.output(job)).toBe(linesFrom(0, 10, (i) => `"b${i}"`));
    });

    it('is dropped when its attempt is stale, when a twin commits, and where the commit says nothing is done', async () => {
      const s = await given();
      const job = await s.create();
      const [part] = await s.assign(job, [[0, 4]]);
      await s.save(job, { attempts: [[part!, 2]] }, 1, node2);
      const stage = (attempt: number, from: number) =>
        s.store.stageOutput(
          {
            attempt: { job, generation: 1, part: part!, attempt },
            rows: [row(from, from + 1, 0, `"staged by ${attempt}"\n`).row],
          },
          new TextEncoder().encode(`"staged by ${attempt}"\n`),
        );
      expect([await stage(1, 0), await stage(2, 1), await stage(2, 3)]).toEqual(Array(3).fill({ outcome: 'staged' }));
      await s.commit(job, part!, { done: [[0, 3]], unfinished: [[3, 4]], rows: [mapRow(0, 1), mapRow(2, 3)] }, 2);
      expect(await stage(1, 0)).toEqual({ outcome: 'staleAttempt' });
      expect(await s.output(job)).toBe('0\n"staged by 2"\n2\n');
      await s.store.cancelJob({ job, why: 'enough' });
      expect(await stage(2, 1)).toEqual({ outcome: 'jobEnded' });
    });
  });
}
