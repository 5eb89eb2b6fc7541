/// <reference types="jest" />
import type { JobSpec } from '@das/contracts';
import { append, block } from './blocks.js';
import { type Given, type Scenario, none, sha256, specOf } from './scenario.js';

const codeText = 'def map(item): return item\n';
const body = sha256('a body');
const upload = () => specOf({ input: { kind: 'blocks' } });

/** Creates a job under a key, as a front door does it. */
const submit = (s: Scenario, spec: JobSpec, digest?: string, key = 'k', owner = 'cluster', store = s.store) =>
  store.createJob({ spec, codeText, key: { owner, key, ...(digest !== undefined && { digest }) } }, none);

export function keyRules(given: Given): void {
  describe('submission keys', () => {
    it('give the job of the same body again, refuse another body, and are each owner’s own', async () => {
      const s = await given();
      const [first, again] = [specOf(), specOf()];
      expect(await submit(s, first, body)).toMatchObject({ existed: false, job: { spec: { job: first.job } } });
      const same = await submit(s, again, body);
      expect(same).toMatchObject({ existed: true, job: { spec: { job: first.job } }, key: { verdict: 'same' } });
      const other = await submit(s, specOf(), sha256('another'));
      expect(other).toMatchObject({ existed: true, job: { spec: { job: first.job } }, key: { verdict: 'different' } });
      expect((await submit(s, specOf(), sha256('another'), 'k', 'another-owner')).existed).toBe(false);
      expect((await submit(s, specOf(), sha256('another'), 'another-key')).existed).toBe(false);
      expect(await s.store.getJob({ job: again.job })).toEqual({});
      expect(await s.told()).toEqual(['running 1', 'running 1', 'running 1']);
    });

    it('know a creation whose answer was lost', async () => {
      const s = await given();
      const spec = specOf();
      await submit(s, spec, body);
      const again = await submit(s, spec, body);
      expect(again).toMatchObject({ existed: true, job: { spec: { job: spec.job } } });
      expect(again.key).toBeUndefined();
    });

    it('know an upload whose creation is asked for again while its input comes', async () => {
      const s = await given();
      const first = upload();
      await submit(s, first);
      for (const store of [s.store, s.other]) {
        const again = await submit(s, first, undefined, 'k', 'cluster', store);
        expect(again).toMatchObject({ existed: true, job: { spec: { job: first.job }, state: 'submitted' } });
        expect(again.key).toBeUndefined();
      }
      expect((await submit(s, upload())).key).toEqual({ verdict: 'uploading' });
      expect((await append(s, first.job, block(0, 0, 3))).outcome).toBe('stored');
    });

    it('give the job of the same body whatever became of it', async () => {
      const s = await given();
      const spec = specOf();
      await submit(s, spec, body);
      await s.store.cancelJob({ job: spec.job, why: 'enough' });
      expect(await submit(s, specOf(), body)).toMatchObject({ job: { state: 'cancelled' }, key: { verdict: 'same' } });
    });

    it('make others wait while an upload goes on, and know its body from its seal on', async () => {
      const s = await given();
      const first = upload();
      await submit(s, first);
      for (const digest of [undefined, body])
        expect((await submit(s, upload(), digest)).key).toEqual({ verdict: 'uploading' });
      await append(s, first.job, block(0, 0, 3));
      await s.store.sealJob({ job: first.job, generation: 1, items: 3, digest: body });
      expect((await submit(s, upload(), body)).key).toEqual({ verdict: 'same', digest: body });
      expect((await submit(s, upload())).key).toEqual({ verdict: 'unknown', digest: body });
      expect((await submit(s, upload(), sha256('another'))).key?.verdict).toBe('different');
    });

    it('are freed by an upload that broke, or was cancelled', async () => {
      const s = await given();
      const [broken, cancelled, third] = [upload(), upload(), upload()];
      await submit(s, broken);
      await s.store.abandonJob({ job: broken.job, why: 'the client went away' });
      expect((await submit(s, cancelled)).existed).toBe(false);
      await s.store.cancelJob({ job: cancelled.job, why: 'enough' });
      expect((await submit(s, third, body)).existed).toBe(false);
    });

    it('make one job of many submissions at the same moment, by two instances', async () => {
      const s = await given();
      for (let round = 0; round < 5; round++) {
        const asked = await Promise.all(
          [s.store, s.other, s.store, s.other].map((store) =>
            submit(s, specOf(), body, `race-${round}`, 'cluster', store),
          ),
        );
        expect(new Set(asked.map(({ job }) => job.spec.job)).size).toBe(1);
        expect(asked.filter(({ existed }) => !existed)).toHaveLength(1);
        expect(asked.filter(({ key }) => key?.verdict === 'same')).toHaveLength(3);
      }
      expect((await s.store.listJobs({ limit: 100 })).jobs).toHaveLength(5);
    });
  });
}
