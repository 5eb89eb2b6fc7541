import { closeSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastLine, openLog } from './log-file.js';

describe('log files', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'das-log-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are made with their folder, for the owner only', () => {
    const file = join(folder, 'log', 'a.log');
    closeSync(openLog(file));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are appended to', () => {
    const file = join(folder, 'a.log');
    for (const text of ['one\n', 'two\n']) {
      const log = openLog(file);
      writeSync(log, text);
      closeSync(log);
    }
    expect(statSync(file).size).toBe(8);
  });

  it('are put aside when they are large', () => {
    const file = join(folder, 'a.log');
    writeFileSync(file, '');
    truncateSync(file, 17 * 1024 * 1024);
    closeSync(openLog(file));
    expect(statSync(file).size).toBe(0);
    expect(statSync(`${file}.1`).size).toBe(17 * 1024 * 1024);
  });

  it('tell their last line that says something', () => {
    const file = join(folder, 'a.log');
    writeFileSync(file, `${'x'.repeat(20_000)}\nerror: no luck\n\n  \n`);
    expect(lastLine(file)).toBe('error: no luck');
  });

  it('tell nothing when they are empty or missing', () => {
    writeFileSync(join(folder, 'a.log'), '');
    expect([lastLine(join(folder, 'a.log')), lastLine(join(folder, 'b.log'))]).toEqual([undefined, undefined]);
  });
});
