import fc from 'fast-check';
import { Departed } from './departed.js';
import { type RingKey, planKeys } from './key-plan.js';
import { labelsBytesMax, parseLabels } from './labels.js';
import { type MemberFacts, decodeMeta, encodeMeta } from './meta.js';
import { NoteLimiter, lineEveryMs, linesMax } from './note-limiter.js';
import { OwnServices } from './own-services.js';
import { judgePresence, seedPauseMs } from './presence.js';

const services = ['election', 'executor', 'job-splitter', 'membership', 'results-store', 'telemetry'];
const facts = (more: Partial<MemberFacts> = {}): MemberFacts => ({
  version: '0.1.0',
  startedAt: 1_700_000_000_000,
  rest: undefined,
  slots: undefined,
  services: [],
  labels: {},
  ...more,
});

describe('what a member says of itself', () => {
  it('is read as it was written', () => {
    const said = facts({ rest: 'http://10.0.0.1:8080', slots: 64, services, labels: { zone: 'a', gpu: '' } });
    const { bytes, dropped } = encodeMeta(said, 512);
    expect([dropped, decodeMeta(bytes)]).toEqual([[], said]);
    expect(bytes.length).toBeLessThan(160);
  });

  it('fits whole into 512 bytes at the longest address and the longest labels', () => {
    const { labels } = parseLabels(`k=${'v'.repeat(60)},l=${'w'.repeat(50)}`) as { labels: Record<string, string> };
    const rest = `http://${'x'.repeat(293)}`;
    const { bytes, dropped } = encodeMeta(facts({ rest, slots: 1_024, services, labels }), 512);
    expect([dropped, rest.length]).toEqual([[], 300]);
    expect(bytes.length).toBeLessThanOrEqual(512);
  });

  it('leaves out what has no room, labels first, and says so', () => {
    const labels = { zone: 'a'.repeat(90) };
    expect(encodeMeta(facts({ labels, rest: 'http://a' }), 120).dropped).toEqual(['labels']);
    const { bytes, dropped } = encodeMeta(facts({ rest: 'é'.repeat(300) }), 512);
    expect([dropped, decodeMeta(bytes)]).toEqual([['labels', 'rest'], facts()]);
  });

  it('never throws at what others send, and takes it for none of ours unless it is', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 512 }),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (bytes) => {
          expect(decodeMeta(bytes)).toBeUndefined();
        },
      ),
    ));

  it.each([
    ['a wrong type', { f: 'das1', v: 1, t: 2 }, undefined],
    ['no start', { f: 'das1', v: '1' }, undefined],
    ['a long version', { f: 'das1', v: 'x'.repeat(61), t: 2 }, undefined],
    [
      'unknown services',
      { f: 'das1', v: '1', t: 2, s: 'mZZmx' },
      facts({ version: '1', startedAt: 2, services: ['membership', 'executor'] }),
    ],
    [
      'odd labels',
      { f: 'das1', v: '1', t: 2, l: { a: 1, b: 'c' } },
      facts({ version: '1', startedAt: 2, labels: { b: 'c' } }),
    ],
    ['odd numbers', { f: 'das1', v: '1', t: 2, n: -1, u: 5 }, facts({ version: '1', startedAt: 2 })],
  ])('is bounded and checked: %s', (_what, given, expected) => {
    expect(decodeMeta(new TextEncoder().encode(JSON.stringify(given)))).toEqual(expected);
  });
});

describe('labels', () => {
  it.each([
    ['', {}],
    ['zone=a, gpu=', { zone: 'a', gpu: '' }],
    ['a=1,a=2,', { a: '2' }],
  ])('of %j are %j', (text, labels) => expect(parseLabels(text)).toEqual({ labels }));

  it.each(['zone', '=a', 'a=b c', `k=${'v'.repeat(61)}`])('refuse %j, naming it', (text) =>
    expect(parseLabels(`ok=1,${text}`)).toEqual({ problem: expect.stringContaining(text.slice(0, 3)) }),
  );

  it('refuse more than there is room for', () => {
    const many = Array.from({ length: 20 }, (_, i) => `label${i}=value`).join(',');
    expect(parseLabels(many)).toEqual({ problem: expect.stringContaining(`at most ${labelsBytesMax}`) });
  });
});

describe('the services of the own node', () => {
  it('are up until they fell silent', () => {
    const own = new OwnServices('membership', 15_000);
    own.heard('executor', 0);
    own.heard('telemetry', 5_000);
    expect(own.names(15_000)).toEqual(['executor', 'membership', 'telemetry']);
    expect(own.names(15_001)).toEqual(['membership', 'telemetry']);
    expect(own.names(100_000)).toEqual(['membership']);
  });

  it('stay up while the bus is away, and for one full time after it is back', () => {
    const own = new OwnServices('membership', 15_000);
    own.heard('executor', 0);
    own.connection(false, 10_000);
    expect(own.names(90_000)).toContain('executor');
    own.connection(true, 90_000);
    expect(own.names(105_000)).toContain('executor');
    expect(own.names(105_001)).not.toContain('executor');
  });

  it('are bounded in number', () => {
    const own = new OwnServices('membership', 15_000, 3);
    for (let i = 0; i < 10; i += 1) own.heard(`s${i}`, 0);
    expect(own.names(1)).toHaveLength(4);
  });
});

describe('the departed', () => {
  it('are remembered for a time, and so many', () => {
    const departed = new Departed<{ name: string }>(600_000, 3);
    for (let i = 0; i < 5; i += 1) departed.left({ name: `n${i}` }, i);
    expect(departed.all(10).map(({ name }) => name)).toEqual(['n2', 'n3', 'n4']);
    departed.back('n3');
    departed.left({ name: 'n2' }, 1_000);
    expect(departed.all(600_004).map(({ name }) => name)).toEqual(['n4', 'n2']);
    expect(departed.all(600_005).map(({ name }) => name)).toEqual(['n2']);
    expect(departed.all(700_000)).toEqual([]);
  });
});

describe('lines about what was noted', () => {
  it('come at once, then one in ten seconds with the number of those left out', () => {
    const limiter = new NoteLimiter();
    expect(limiter.take('label', 'a', 0)).toBe(0);
    for (let i = 1; i <= 7; i += 1) expect(limiter.take('label', 'a', i)).toBeUndefined();
    expect(limiter.take('label', 'b', 8)).toBe(0);
    expect(limiter.take('decrypt', 'a', 8)).toBe(0);
    expect(limiter.take('label', 'a', lineEveryMs)).toBe(7);
    expect(limiter.take('label', 'a', 2 * lineEveryMs)).toBe(0);
  });

  it('are bounded in memory: the oldest is forgotten', () => {
    const limiter = new NoteLimiter();
    for (let i = 0; i <= linesMax; i += 1) limiter.take('label', `peer ${i}`, 0);
    expect(limiter.take('label', 'peer 1', 1)).toBeUndefined();
    expect(limiter.take('label', 'peer 0', 1)).toBe(0);
  });
});

describe('a node that says it is there', () => {
  const presence = { node: 'b', address: '10.0.0.2:1', startedAt: 5 };
  const known = { state: 'alive', address: '10.0.0.2:1', startedAt: 5 } as const;
  it.each([
    ['join', 'nobody knows it', undefined],
    ['known', 'gossip has it', known],
    ['known', 'it is suspect: that is being judged', { ...known, state: 'suspect' as const }],
    ['known', 'it says nothing of its start', { ...known, startedAt: undefined }],
    ['join', 'gossip holds it for dead', { ...known, state: 'dead' as const }],
    ['join', 'gossip holds it for gone', { ...known, state: 'left' as const }],
    ['join', 'it was started again', { ...known, startedAt: 4 }],
    ['taken', 'its name is in use elsewhere', { ...known, address: '10.0.0.9:1' }],
    [
      'join',
      'its name is in use elsewhere by one that does not answer',
      { ...known, address: '10.0.0.9:1', state: 'suspect' as const },
    ],
  ])('%s: %s', (verdict, _why, member) => expect(judgePresence(presence, member)).toBe(verdict));
});

it('pauses longer between rounds through the seeds, up to a limit', () => {
  expect([0, 1, 2, 5, 1_000].map((round) => seedPauseMs(round, 1_000, 30_000))).toEqual([
    1_000, 2_000, 4_000, 30_000, 30_000,
  ]);
});

describe('a step of a key rotation', () => {
  const key = (name: string): RingKey => ({ text: name, fingerprint: `#${name}` });
  const [a, b, c] = [key('a'), key('b'), key('c')];
  const after = (ring: RingKey[], action: 'install' | 'use' | 'remove', one: RingKey, max = 4): string => {
    const plan = planKeys(ring, action, one, max);
    return plan.outcome === 'refused' ? 'refused' : `${plan.outcome} ${plan.keys.map(({ text }) => text).join('')}`;
  };
  it.each([
    ['install', [a], b, 'done ab'],
    ['install', [a, b], b, 'unchanged ab'],
    ['install', [], a, 'refused'],
    ['use', [a, b, c], c, 'done cab'],
    ['use', [a, b], a, 'unchanged ab'],
    ['use', [a], b, 'refused'],
    ['remove', [a, b, c], b, 'done ac'],
    ['remove', [a, b], c, 'unchanged ab'],
    ['remove', [a, b], a, 'refused'],
    ['remove', [a], a, 'refused'],
  ] as const)('%s', (action, ring, one, expected) => {
    expect(after([...ring], action, one)).toBe(expected);
  });

  it('takes an installed key by its fingerprint', () => {
    const named = { text: '#b', fingerprint: '#b' };
    expect([after([a, b], 'use', named), after([a, b], 'remove', named)]).toEqual(['done ba', 'done a']);
  });

  it('is bounded in keys, and listing changes nothing', () => {
    expect(after([a, b], 'install', c, 2)).toBe('refused');
    expect(planKeys([a], 'list', b, 4)).toEqual({ outcome: 'unchanged', keys: [a] });
  });

  it('never loses the key that encrypts, and twice is once', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('install', 'use', 'remove'), fc.constantFrom(a, b, c))),
        (steps) => {
          let ring: readonly RingKey[] = [a];
          for (const [action, one] of steps) {
            const plan = planKeys(ring, action, one, 4);
            if (plan.outcome === 'refused') continue;
            if (action === 'remove') expect(plan.keys[0]).toBe(ring[0]);
            ring = plan.keys;
            expect(ring.length).toBeGreaterThan(0);
            expect(new Set(ring).size).toBe(ring.length);
            expect(planKeys(ring, action as 'use', one, 4).outcome).toBe('unchanged');
          }
        },
      ),
    ));
});
