import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StubCluster } from './stub-cluster.fixture.js';

describe('das run of a command', () => {
  let stub: StubCluster;
  beforeEach(async () => void (stub = await StubCluster.start()));
  afterEach(() => stub.stop());

  /** What was sent: the specification, the name of the code and its text. */
  async function sent(...words: string[]): Promise<[unknown, string | undefined, string | undefined]> {
    const { code, err } = await stub.das(['run', ...words, '--range', '0:3']);
    expect([code, err]).toEqual([0, expect.any(String)]);
    const sent = /application\/json\r\n\r\n(.*)\r\n[^]*name="code"; filename="([^"]*)"[^]*?\r\n\r\n([^]*?)\r\n--/;
    const [, spec, name, text] = sent.exec(stub.uploads[0] ?? '') ?? [];
    return [JSON.parse(spec ?? 'null'), name, text];
  }
  const spec = (command: object) => expect.objectContaining({ code: { language: 'command' }, command }) as unknown;

  it('sends shell text', async () => {
    expect(await sent('--command', './tool.sh --fast')).toEqual([
      spec({ run: 'shell', words: [] }),
      'command',
      './tool.sh --fast',
    ]);
  });

  it('sends a program and its arguments as they are', async () => {
    expect(
      await sent('--per-item', '--output-format', 'json', '--range', '0:3', '--command', '--', 'jq', '-c', '{}'),
    ).toEqual([
      spec({ run: 'words', words: ['jq', '-c', '{}', '--range', '0:3'], perItem: true, results: 'json' }),
      'jq',
      'jq -c {} --range 0:3',
    ]);
  });

  it.each([
    ['count.sh', 'wc -l\n', 0o644],
    ['count', '#!/usr/bin/perl\n', 0o644],
    ['count', 'wc -l\n', 0o755],
  ])('sends %s as a program when it says so itself, with its arguments', async (name, text, mode) => {
    writeFileSync(join(stub.cwd, name), text);
    chmodSync(join(stub.cwd, name), mode);
    expect(await sent(name, 'a b')).toEqual([spec({ run: 'file', words: ['a b'] }), name, text]);
  });

  it.each([
    [['--command', 'wc', 'count.sh'], 'one word too many'],
    [['--command', '--'], 'there is no command'],
    [[], 'there is nothing to run'],
    [['job.py', 'more'], 'takes no arguments'],
    [['job.py', '--per-item'], 'is for commands'],
    [['--command', 'wc', '--output-format', 'xml'], 'text or json'],
    [['binary'], 'is not text'],
  ])('refuses %j', async (words, why) => {
    writeFileSync(join(stub.cwd, 'binary'), Buffer.from([0x7f, 0x45, 0]));
    const { code, err } = await stub.das(['run', ...words]);
    expect([code, err]).toEqual([2, expect.stringContaining(why)]);
    expect(stub.uploads).toEqual([]);
  });
});
