/// <reference types="jest" />
import { limits } from '@das/contracts';
import { type Given, bytesOf, none, sha256, specOf } from './scenario.js';

const digest = sha256('a manifest');
const head = { files: 2, bytes: 5, chunks: 2 };
const bundled = () => specOf({ code: digest, filename: 'main.py', bundle: { files: 2, bytes: 5 } });

export function codeRules(given: Given): void {
  describe('code bundles', () => {
    it('are stored chunk by chunk, and there once they are sealed whole', async () => {
      const { store } = await given();
      const put = (chunk: number, text: string) => store.putBundleChunk({ digest, chunk }, bytesOf(text));
      expect(await store.findBundle({ digest })).toEqual({});
      await put(1, 'x'.repeat(2_000));
      expect(await store.sealBundle({ digest, bundle: head })).toEqual({ outcome: 'incomplete' });
      expect(await store.findBundle({ digest })).toEqual({});
      await put(0, 'ab');
      for (const _ of [1, 2]) expect(await store.sealBundle({ digest, bundle: head })).toEqual({ outcome: 'sealed' });
      expect(await store.findBundle({ digest })).toEqual({ bundle: head });
      const pages = await Promise.all([0, 1, 2].map((chunk) => store.readBlob({ digest, chunk })));
      expect(pages.map(({ reply }) => reply.found)).toEqual([true, true, false]);
      expect(pages.map(({ raw }) => Buffer.from(raw).toString())).toEqual(['ab', 'x'.repeat(2_000), '']);
      expect(pages[0]?.reply.chunks).toBe(2);
    });

    it('are replaced by what is sent again, and doubted until it is sealed again', async () => {
      const { store } = await given();
      for (const text of ['bad', 'good']) {
        await store.putBundleChunk({ digest, chunk: 0 }, bytesOf(text));
        await store.sealBundle({ digest, bundle: { ...head, chunks: 1 } });
        if (text === 'bad') await store.doubtBundle({ digest });
        expect((await store.findBundle({ digest })).bundle === undefined).toBe(text === 'bad');
      }
      expect(Buffer.from((await store.readBlob({ digest, chunk: 0 })).raw).toString()).toBe('good');
    });

    it('are there before a job can have them', async () => {
      const { store } = await given();
      const spec = bundled();
      const create = () => store.createJob({ spec, codeText: '', items: 10 }, none);
      await expect(create()).rejects.toMatchObject({ code: 'CODE_NOT_FOUND' });
      expect(await store.getJob({ job: spec.job })).toEqual({});
      await store.putBundleChunk({ digest, chunk: 0 }, bytesOf('a'));
      await store.sealBundle({ digest, bundle: { ...head, chunks: 1 } });
      expect(await create()).toMatchObject({ existed: false, job: { spec: { bundle: { files: 2 } } } });
      await store.doubtBundle({ digest });
      expect(await create()).toMatchObject({ existed: true });
      expect(Buffer.from((await store.readBlob({ digest, chunk: 0 })).raw).toString()).toBe('a');
    });

    it('come in chunks of a page at most', async () => {
      const { store } = await given();
      const large = new Uint8Array(limits.pageBytesMax + 1);
      await expect(store.putBundleChunk({ digest, chunk: 0 }, large)).rejects.toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
      });
    });
  });
}
