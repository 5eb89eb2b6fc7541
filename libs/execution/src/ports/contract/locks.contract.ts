/// <reference types="jest" />
import type { LockAnswer, LockCall } from '../runtime.js';
import type { Given } from '../../testing/runtime-harness.js';
import { base, mapItems, mapRange, pagesOf, runPart, step } from '../../testing/runtime-parts.js';
import type { RuntimeScripts } from '../../testing/runtime-scripts.js';

/** Answers by what was asked, and remembers it. */
function desk(answer: (call: LockCall, before: number) => LockAnswer | Promise<LockAnswer>) {
  const calls: LockCall[] = [];
  return { calls, lock: async (call: LockCall) => answer(call, calls.push(call) - 1) };
}
const granting = () => {
  let fence = 0;
  return desk((call) => (call.op === 'acquire' ? { fence: (fence += 1) } : { released: true }));
};

export function lockRules({ it, load }: Given, scripts: RuntimeScripts): void {
  describe('locks', () => {
    const acquire = { op: 'acquire', name: 'stock', limitMs: 5_000, waitMs: 7_000 };

    it('are asked for as the script says, and given back with their fence at the end of the block', async () => {
      const { worker } = await load(scripts.locks);
      const { calls, lock } = granting();
      const { lines, end } = await runPart(worker, mapRange(0, 2), { lock });
      expect([lines, end.kind]).toEqual([['1', '2'], 'ended']);
      const release = (fence: number) => ({ op: 'release', name: 'stock', fence });
      expect(calls).toEqual([acquire, release(1), acquire, release(2)]);
    });

    it('are renewed for a time of their own, in steps too', async () => {
      const { worker } = await load(scripts.locks);
      const { calls, lock } = desk((call) => (call.op === 'release' ? { released: true } : { fence: 4 }));
      expect((await runPart(worker, { ...step, kind: 'main' }, { lock })).lines).toEqual(['4']);
      expect(calls).toEqual([
        { op: 'acquire', name: 'stock', limitMs: 30_000, waitMs: 60_000 },
        { op: 'renew', name: 'stock', fence: 4, limitMs: 9_000 },
        { op: 'release', name: 'stock', fence: 4 },
      ]);
    });

    it('that were lost tell it at renewing', async () => {
      const { worker } = await load(scripts.locks);
      const { lock } = desk((call) => (call.op === 'acquire' ? { fence: 4 } : { refusal: 'lost', why: 'too late' }));
      const { end } = await runPart(worker, { ...step, kind: 'main' }, { lock });
      expect(end).toMatchObject({ kind: 'failed', failure: { message: 'main failed: LockLost: too late' } });
    });

    it('are answered while items wait in front of the answer, and none is lost or out of order', async () => {
      const { worker } = await load(scripts.locks);
      const { lock } = granting();
      const pages = pagesOf(...Array.from({ length: 40 }, (_, n) => ({ text: `${n}\n` })));
      const work = { ...base, kind: 'map' as const, range: { from: 0, to: 40 }, buckets: 0, items: { pages } };
      const { lines, end } = await runPart(worker, work, { lock });
      expect(lines).toEqual(Array.from({ length: 40 }, (_, n) => `${n + 1}`));
      expect(end.kind).toBe('ended');
    });

    it('are waited for as something that is ours to give, and the finished items are not lost', async () => {
      const { worker } = await load(scripts.locks);
      let give: (answer: LockAnswer) => void = () => undefined;
      const asked = new Promise<boolean>((resolve) => {
        void runPart(worker, mapRange(0, 1), {
          lock: ({ op }) => {
            if (op === 'release') return Promise.resolve({ released: true });
            resolve(worker.waitsForUs);
            return new Promise((answer) => (give = answer));
          },
        }).then(({ lines }) => done(lines));
      });
      let done: (lines: string[]) => void = () => undefined;
      const lines = new Promise<string[]>((resolve) => (done = resolve));
      await asked;
      expect(worker.waitsForUs).toBe(true);
      give({ fence: 9 });
      expect(await lines).toEqual(['9']);
      expect(worker.waitsForUs).toBe(false);
    });

    it('that are not had in time fail the item in our words, and no other', async () => {
      const { worker } = await load(scripts.locks);
      const { lock } = desk((call, before) =>
        before === 0
          ? { refusal: 'timeout', why: 'held by a client' }
          : call.op === 'acquire'
            ? { fence: 2 }
            : { released: true },
      );
      const { lines, failures } = await runPart(worker, mapItems(['0', '1']), { lock });
      expect(lines).toEqual(['2']);
      expect(failures).toMatchObject([{ item: 0, message: 'LockTimeout: held by a client' }]);
    });

    it('are given back when the script ends its wait by itself, and a late answer is nobody else’s', async () => {
      const { worker } = await load(scripts.endsItsWait);
      let late: (answer: LockAnswer) => void = () => undefined;
      const { calls, lock } = desk((call, before) => {
        if (before === 0) return new Promise((answer) => (late = answer));
        late({ fence: 77 });
        return call.op === 'acquire' ? { fence: 78 } : { released: true };
      });
      const { lines } = await runPart(worker, mapRange(0, 2), { lock });
      expect(lines).toEqual(['"enough"', '78']);
      expect(calls.map(({ op }) => op)).toEqual(['acquire', 'release', 'acquire', 'release']);
      expect(calls[1]).toEqual({ op: 'release', name: 'stock' });
    });

    it('are refused in words where they cannot be', async () => {
      const { worker } = await load(scripts.wrongLocks);
      const { calls, lock } = granting();
      const { lines } = await runPart(worker, mapRange(0, scripts.words.refusedLocks.length), { lock });
      for (const [i, part] of scripts.words.refusedLocks.entries()) expect(lines[i]).toContain(part);
      expect(calls.map(({ op }) => op)).toEqual(['acquire', 'release']);
    });
  });
}
