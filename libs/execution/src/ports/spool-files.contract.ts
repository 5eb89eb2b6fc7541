import { type SpoolFiles, type TornFile, spoolName } from './spool-files.js';

/** How a suite gets at a spool: `again` is the next life of the same one. */
export interface SpoolHarness {
  readonly files: SpoolFiles;
  again(): SpoolFiles;
  /** Changes what is stored under the name, so that it is not what was written. */
  damage(name: string): Promise<void>;
}

const name = spoolName('job/1/map:0-16/2');
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** What every spool keeps to. */
export function spoolFilesContract(title: string, start: () => Promise<SpoolHarness>): void {
  describe(`the spool contract: ${title}`, () => {
    let harness: SpoolHarness;
    beforeEach(async () => {
      harness = await start();
      expect(await harness.files.open()).toEqual({ found: [], torn: [] });
    });
    const lasting = async (): Promise<string[]> => (await harness.again().open()).found.map((file) => file.name);

    it('gives back what was written, now and in its next life', async () => {
      const size = await harness.files.write(name, { head: '{"ü":1}', raw: [bytes('one'), bytes('two')] });
      const whole = { head: '{"ü":1}', raw: expect.anything() as unknown };
      const read = (await harness.files.read(name)) as { raw: Uint8Array };
      expect([read, Buffer.from(read.raw).toString()]).toEqual([expect.objectContaining(whole), 'onetwo']);
      const later = harness.again();
      expect((await later.open()).found).toEqual([{ name, head: '{"ü":1}', bytes: size }]);
      expect(Buffer.from(((await later.read(name)) as { raw: Uint8Array }).raw).toString()).toBe('onetwo');
    });

    it('keeps an output without rows', async () => {
      await harness.files.write(name, { head: '{}', raw: [] });
      expect(((await harness.files.read(name)) as { raw: Uint8Array }).raw).toHaveLength(0);
    });

    it('replaces what it has under a name', async () => {
      await harness.files.write(name, { head: '1', raw: [bytes('a longer one')] });
      await harness.files.write(name, { head: '2', raw: [bytes('x')] });
      expect(await harness.files.read(name)).toMatchObject({ head: '2' });
      expect(await lasting()).toEqual([name]);
    });

    it('forgets what is removed, and takes it well when that is gone already', async () => {
      await harness.files.write(name, { head: '{}', raw: [] });
      await harness.files.remove(name);
      await harness.files.remove(name);
      expect(await lasting()).toEqual([]);
      expect(((await harness.files.read(name)) as TornFile).why).toContain('gone');
    });

    it('gives what was damaged to nobody, and goes on with the rest', async () => {
      const other = spoolName('job/1/map:16-32/1');
      await harness.files.write(name, { head: '{}', raw: [bytes('rows')] });
      await harness.files.write(other, { head: '{}', raw: [bytes('rows')] });
      await harness.damage(name);
      expect(await harness.files.read(name)).toEqual({ name, why: expect.any(String) });
      expect(await lasting()).toEqual([other]);
    });

    it('never finds again what was set aside', async () => {
      await harness.files.write(name, { head: 'odd', raw: [] });
      await harness.files.setAside(name);
      await harness.files.setAside(name);
      expect(await lasting()).toEqual([]);
    });

    it('takes no name that might lead elsewhere', async () => {
      for (const odd of ['../x.out', 'a/b.out', '.out', 'x', 'x.out.new'])
        await expect(harness.files.write(odd, { head: '{}', raw: [] })).rejects.toBeInstanceOf(RangeError);
    });
  });
}
