import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { commonConfig, loadCommonConfig, loadTokens } from './common-config.js';
import { ConfigError, loadConfig } from './config.js';

const faultsOf = (act: () => unknown): readonly { variable: string; message: string }[] => {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
};

describe('loadConfig', () => {
  const schema = z.object({
    DAS_SLOTS: z.coerce.number().int().min(1).default(2),
    DAS_KIND: z.enum(['a', 'b']).optional(),
    DAS_X_TOKEN: z.string().min(10).optional(),
  });

  it('reads, fills in defaults, and freezes', () => {
    const config = loadConfig(schema, { DAS_SLOTS: '4', OTHER: 'x' });
    expect(config).toEqual({ DAS_SLOTS: 4 });
    expect(Object.isFrozen(config)).toBe(true);
    expect(loadConfig(schema, {}).DAS_SLOTS).toBe(2);
  });

  it('takes an empty value for an absent one', () => {
    expect(loadConfig(schema, { DAS_SLOTS: '' }).DAS_SLOTS).toBe(2);
  });

  it("reports all faults together, with the value given, but never a secret's", () => {
    const faults = faultsOf(() => loadConfig(schema, { DAS_SLOTS: '0', DAS_KIND: 'c', DAS_X_TOKEN: 'hush' }));
    expect(faults.map(({ variable }) => variable)).toEqual(['DAS_SLOTS', 'DAS_KIND', 'DAS_X_TOKEN']);
    expect(faults[0]?.message).toMatch(/1.*given: "0"/);
    expect(faults[2]?.message).not.toContain('hush');
  });
});

describe('loadCommonConfig', () => {
  it("needs the node's name only", () => {
    expect(loadCommonConfig({ DAS_NODE: 'node-1' })).toMatchObject({
      DAS_NODE: 'node-1',
      DAS_HOME: '.das',
      DAS_TRANSPORT: 'nats',
      DAS_NATS_URL: 'nats://127.0.0.1:4222',
      DAS_LOG_LEVEL: 'info',
      DAS_BIND: '127.0.0.1',
    });
    expect(faultsOf(() => loadCommonConfig({}))).toEqual([
      { variable: 'DAS_NODE', message: 'required: the name of this node' },
    ]);
  });

  it.each([
    [{ DAS_NODE: 'a.b' }, 'DAS_NODE'],
    [{ DAS_NATS_URL: 'http://x' }, 'DAS_NATS_URL'],
    [{ DAS_LOG_LEVEL: 'loud' }, 'DAS_LOG_LEVEL'],
    [{ DAS_HEALTH_PORT: '70000' }, 'DAS_HEALTH_PORT'],
    [{ DAS_TRANSPORT: 'pigeon' }, 'DAS_TRANSPORT'],
  ])('refuses %j', (env, variable) => {
    expect(faultsOf(() => loadCommonConfig({ DAS_NODE: 'n', ...env })).map((fault) => fault.variable)).toEqual([
      variable,
    ]);
  });

  it('describes every setting', () => {
    for (const [name, setting] of Object.entries(commonConfig.shape)) {
      expect([name, setting.description]).toEqual([name, expect.stringMatching(/.{10}/)]);
    }
  });
});

describe('loadTokens', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'das-token-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('takes one token for NATS and REST from the file, unless they are given', async () => {
    const file = join(dir, 'token');
    await writeFile(file, ' shared\n');
    const of = (env: Record<string, string>) => loadTokens(loadCommonConfig({ DAS_NODE: 'n', ...env }));
    expect(of({ DAS_TOKEN_FILE: file })).toEqual({ nats: 'shared', rest: 'shared' });
    expect(of({ DAS_TOKEN_FILE: file, DAS_NATS_TOKEN: 'n' })).toEqual({ nats: 'n', rest: 'shared' });
    expect(of({ DAS_TOKEN: 'r' })).toEqual({ nats: undefined, rest: 'r' });
  });

  it('says that the file is missing or empty', async () => {
    const file = join(dir, 'token');
    const read = () => loadTokens(loadCommonConfig({ DAS_NODE: 'n', DAS_TOKEN_FILE: file }));
    expect(faultsOf(read)[0]).toMatchObject({
      variable: 'DAS_TOKEN_FILE',
      message: expect.stringContaining('ENOENT') as string,
    });
    await writeFile(file, '\n');
    expect(faultsOf(read)[0]?.message).toContain('is empty');
  });
});
