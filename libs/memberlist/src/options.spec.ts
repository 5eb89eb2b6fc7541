import { configProblems, clusterConfig, lanConfig, localConfig, wanConfig } from './core/config.js';
import { ownVersions } from './core/versions.js';
import { hooksOf } from './glue.js';
import { NodeCipher } from './node/node-cipher.js';
import { type MemberlistOptions, resolveOptions } from './options.js';

const key = (fill: number, size = 16): Uint8Array => new Uint8Array(size).fill(fill);
const resolve = (options: Partial<MemberlistOptions>): ReturnType<typeof resolveOptions> =>
  resolveOptions({ name: 'a', ...options }, new NodeCipher());

describe('the options of a node', () => {
  it('are the LAN profile with protocol 2, unless told otherwise', () => {
    const { config, wire } = resolve({ probeIntervalMs: undefined });
    expect(config).toMatchObject({ ...lanConfig, name: 'a', protocolVersion: 2 });
    expect([wire.keyring.keys, wire.encryptionVersion, wire.compression, wire.label.length]).toEqual([[], 1, true, 0]);
    expect([...ownVersions(config)]).toEqual([1, 5, 2, 0, 0, 0]);
    expect(resolve({ protocolVersion: 1 }).wire.encryptionVersion).toBe(0);
  });

  it.each([
    ['no key', {}, []],
    ['an empty key is none', { secretKey: new Uint8Array(0) }, []],
    ['a key', { secretKey: key(1) }, [key(1)]],
    ['keys alone: the first is primary', { keys: [key(1), key(2)] }, [key(1), key(2)]],
    ['both: the key is primary', { secretKey: key(3, 32), keys: [key(1), key(3, 32)] }, [key(3, 32), key(1)]],
  ])('make a keyring: %s', (_, options, keys) => {
    expect(resolve(options).wire.keyring.keys).toEqual(keys);
  });

  it.each([
    [{ secretKey: key(1, 3) }, /secretKey/],
    [{ secretKey: key(1, 38) }, /secretKey/],
    [{ keys: [key(1, 17)] }, /keys/],
    [{ label: 'x'.repeat(256) }, /label/],
    [{ protocolVersion: 0 }, /protocolVersion is 0/],
    [{ protocolVersion: 6 }, /protocolVersion is 6/],
    [{ cidrsAllowed: ['10.0.0.1'] }, /cidrsAllowed/],
    [{ bindAddr: 'localhost' }, /bindAddr: not an IP address: "localhost"/],
    [{ advertiseAddr: '10.0.0' }, /advertiseAddr/],
    [{ advertisePort: 0 }, /advertisePort is 0/],
  ])('%# are refused when they are wrong', (options, problem) => {
    expect(() => resolve(options)).toThrow(problem);
  });

  it.each([
    ['lan', lanConfig],
    ['wan', wanConfig],
    ['local', localConfig],
    ['cluster', clusterConfig],
  ])('have a %s profile that is valid, its probe timeout within its interval', (_, profile) => {
    expect(configProblems({ ...profile, name: 'a' })).toEqual([]);
    expect(profile.probeTimeoutMs).toBeLessThan(profile.probeIntervalMs);
  });
});

describe('the questions to delegates', () => {
  it('are asked only where a delegate is there to answer', () => {
    expect(Object.keys(hooksOf({})).sort()).toEqual(['ackPayload', 'localState']);
    const asked = hooksOf({ noStreamPing: (name) => name === 'b', broadcasts: () => [] });
    expect([asked.noStreamPing?.('b'), asked.noStreamPing?.('c'), asked.userBroadcasts?.(1, 2)]).toEqual([
      true,
      false,
      [],
    ]);
  });
});
