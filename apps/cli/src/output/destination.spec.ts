import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OutputClosedError, OutputError } from '../world.js';
import { checkOutput, openDestination } from './destination.js';

describe('the destination of a result', () => {
  let cwd: string;
  let printed: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'das-output-'));
    printed = '';
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const at = (name: string): string => join(cwd, name);
  const world = () => ({ cwd, out: async (data: string | Uint8Array) => void (printed += String(data)) });
  async function write(output: string, content = 'new\n'): Promise<void> {
    const into = await openDestination(output, world());
    await into.write(Buffer.from(content));
    await into.finish();
  }

  it('is a file that appears when it is whole', async () => {
    const into = await openDestination('r', world());
    await into.write(Buffer.from('1\n'));
    expect(() => readFileSync(at('r'))).toThrow('ENOENT');
    await into.finish();
    expect([readFileSync(at('r'), 'utf8'), readdirSync(cwd)]).toEqual(['1\n', ['r']]);
  });

  it('stays what it was when the result is abandoned', async () => {
    writeFileSync(at('r'), 'old');
    const into = await openDestination('r', world());
    await into.write(Buffer.from('half'));
    await into.abandon();
    expect([readFileSync(at('r'), 'utf8'), readdirSync(cwd)]).toEqual(['old', ['r']]);
  });

  it('keeps the mode of the file that it replaces', async () => {
    writeFileSync(at('r'), 'old');
    chmodSync(at('r'), 0o640);
    await write('r');
    expect([statSync(at('r')).mode & 0o7777, readFileSync(at('r'), 'utf8')]).toEqual([0o640, 'new\n']);
  });

  it('may have a name as long as a name can be', async () => {
    await write('r'.repeat(255));
    expect(readdirSync(cwd)).toEqual(['r'.repeat(255)]);
  });

  it('leaves nothing behind when it is only tried', async () => {
    writeFileSync(at('r'), 'old');
    await checkOutput('r', world());
    await checkOutput('s', world());
    expect([readFileSync(at('r'), 'utf8'), readdirSync(cwd)]).toEqual(['old', ['r']]);
  });

  describe('in a folder of somebody else', () => {
    const mine = process.geteuid?.() ?? 0;
    beforeEach(() => {
      writeFileSync(at('r'), 'old');
      chmodSync(at('r'), 0o666);
      chmodSync(cwd, 0o555);
      // Modes do not hold root back.
      if (mine === 0) process.seteuid?.(65_534);
    });
    afterEach(() => {
      if (mine === 0) process.seteuid?.(mine);
      chmodSync(cwd, 0o755);
    });

    it('is written into at the end when it is a file that may be written', async () => {
      await checkOutput('r', world());
      const into = await openDestination('r', world());
      await into.write(Buffer.from('new\n'));
      expect(readFileSync(at('r'), 'utf8')).toBe('old');
      await into.finish();
      expect([readFileSync(at('r'), 'utf8'), readdirSync(cwd)]).toEqual(['new\n', ['r']]);
    });

    it('is refused by the name of the folder when it is new', async () => {
      const words = `s cannot be written (no file can be made in ${cwd})`;
      await expect(checkOutput('s', world())).rejects.toThrow(new OutputError(words));
      await expect(openDestination('s', world())).rejects.toThrow(new OutputError(words));
    });
  });

  it('is the target of a link, and the link stays', async () => {
    mkdirSync(at('deep'));
    writeFileSync(at('deep/r'), 'old');
    symlinkSync('deep/r', at('one'));
    symlinkSync('one', at('two'));
    await write('two');
    expect([lstatSync(at('two')).isSymbolicLink(), lstatSync(at('one')).isSymbolicLink()]).toEqual([true, true]);
    expect(readFileSync(at('deep/r'), 'utf8')).toBe('new\n');
  });

  it('is made where a link leads that has no target yet', async () => {
    symlinkSync('later', at('link'));
    await write('link');
    expect([lstatSync(at('link')).isSymbolicLink(), readFileSync(at('later'), 'utf8')]).toEqual([true, 'new\n']);
  });

  it('is written into when it is a pipe, which stays one', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    symlinkSync('pipe', at('link'));
    for (const name of ['pipe', 'link']) {
      const read = text(createReadStream(at('pipe')));
      await write(name, `${name}\n`);
      expect(await read).toBe(`${name}\n`);
    }
    expect([lstatSync(at('pipe')).isFIFO(), readdirSync(cwd).sort()]).toEqual([true, ['link', 'pipe']]);
  });

  it('ends quietly when the reader of a pipe is gone', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const reading = open(at('pipe'), 'r');
    const into = await openDestination('pipe', world());
    await (await reading).close();
    await expect(into.write(Buffer.from('x'))).rejects.toThrow(OutputClosedError);
    await into.abandon();
  });

  it.each(['-', '/dev/stdout', '/dev/fd/1', 'link'])('is standard output by the name %s', async (name) => {
    symlinkSync('/dev/stdout', at('link'));
    await write(name);
    expect([printed, readdirSync(cwd)]).toEqual(['new\n', ['link']]);
  });

  it.each([
    ['folder', 'folder cannot be written (it is a folder)'],
    ['no/such/r', 'no/such/r cannot be written (its folder does not exist)'],
    ['n'.repeat(256), `${'n'.repeat(256)} cannot be written (its name is too long)`],
    ['circle', 'circle cannot be written (its links lead in a circle)'],
  ])('is found impossible before any work: %s', async (name, words) => {
    mkdirSync(at('folder'));
    symlinkSync('circle', at('circle'));
    await expect(checkOutput(name, world())).rejects.toThrow(new OutputError(words));
  });
});
