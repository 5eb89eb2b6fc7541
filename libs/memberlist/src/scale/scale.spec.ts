import { clusterConfig, lanConfig } from '../core/config.js';
import { seededRng } from '../core/random.js';
import { costOfUpdate, countMistakes, detectFailure, measureLoad, slowDown, spreadUpdate } from './experiments.js';
import { Fleet, type FleetOptions } from './fleet.js';
import { SharedIndex } from './shared-index.js';
import { mean, quantile } from './statistics.js';

const warm = (options: FleetOptions): Fleet => {
  const fleet = new Fleet(options);
  fleet.time.advance(2_000);
  return fleet;
};

describe('a cluster of any size', () => {
  it.each([
    ['lan', lanConfig],
    ['cluster', clusterConfig],
  ])('sends one ping and one ack a period for each member: %s', (_, config) => {
    for (const members of [10, 100, 400]) {
      const { datagrams, datagramBytes } = measureLoad(warm({ members, seed: 1, config }), 10_000);
      const periods = 1_000 / config.probeIntervalMs;
      expect(Math.abs(datagrams / (2 * periods) - 1)).toBeLessThan(0.01);
      expect(datagramBytes / periods).toBeLessThan(110);
    }
  });

  it.each([10, 100, 400])('of %i members knows news in O(log n) rounds of gossip', (members) => {
    const { gossipIntervalMs, gossipNodes } = lanConfig;
    const model = ((2 * Math.log(members)) / gossipNodes) * gossipIntervalMs;
    const last = [1, 2, 3, 4, 5].map((seed) => {
      const { delaysMs, missing } = spreadUpdate(warm({ members, seed }));
      expect([delaysMs.length, missing]).toEqual([members - 1, 0]);
      return Math.max(...delaysMs);
    });
    // Beyond the model: each waits for its own next gossip first, and the last of many draws is late.
    expect(quantile(last, 0.5)).toBeLessThan(2 * model + gossipIntervalMs);
  });

  it('spends O(log n) datagrams of each member on one piece of news', () => {
    for (const members of [10, 100, 400]) {
      const fleet = warm({ members, seed: 3 });
      const cost = costOfUpdate(fleet, measureLoad(fleet, 5_000));
      expect(cost).toBeGreaterThan(2);
      expect(cost).toBeLessThan(4 * Math.ceil(Math.log10(members + 1)) + 2);
    }
  });

  it.each([
    [10, 20],
    [100, 10],
  ])('of %i members suspects a dead one after two periods on average, whatever its size', (members, trials) => {
    const found = Array.from({ length: trials }, (_, i) => detectFailure(warm({ members, seed: 100 + i })));
    const periods = mean(found.map(({ firstSuspicionMs }) => firstSuspicionMs)) / lanConfig.probeIntervalMs;
    expect(periods).toBeGreaterThan(1.3);
    expect(periods).toBeLessThan(2.7);
    const least = lanConfig.suspicionMult * Math.max(1, Math.log10(members)) * lanConfig.probeIntervalMs;
    for (const { firstSuspicionMs, firstMs, allMs } of found) {
      expect(firstMs - firstSuspicionMs).toBeGreaterThanOrEqual(least - 5);
      expect(allMs - firstMs).toBeLessThan(1_500);
    }
    expect(
      quantile(
        found.map(({ firstMs }) => firstMs),
        0.5,
      ),
    ).toBeLessThan(least + 4_000);
  });

  it('declares nobody dead while 5 % of all packets are lost', () => {
    const fleet = warm({ members: 100, seed: 4 });
    fleet.network.loss = 0.05;
    expect(countMistakes(fleet, 60_000)).toMatchObject({ deaths: 0, memberHours: 100 / 60 });
  });

  it('gives the same figures again from the same seed, and others from another', () => {
    const run = (seed: number): unknown[] => {
      const fleet = new Fleet({ members: 30, seed });
      fleet.network.loss = 0.2;
      return [countMistakes(fleet, 10_000), spreadUpdate(fleet), detectFailure(fleet), fleet.network.traffic];
    };
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });

  it('exchanges its table by push/pull, and pays for it', () => {
    const fleet = new Fleet({ members: 40, seed: 7, config: { pushPullIntervalMs: 1_000 } });
    const { bytes, everyMs } = fleet.pushPullCost;
    const { streams, streamBytes } = measureLoad(fleet, 60_000);
    expect(everyMs).toBe(2_000);
    expect(Math.abs(streams * (everyMs / 1_000) - 1)).toBeLessThan(0.1);
    expect(streamBytes / streams).toBeCloseTo(bytes, 0);
  });
});

describe('slow members', () => {
  const slowly = (how: 'blocked' | 'stopped', pauseMs: number, options: object): ReturnType<typeof countMistakes> => {
    const fleet = new Fleet({ members: 64, seed: 8, ...options });
    slowDown(fleet, fleet.members.slice(0, 8), { how, pauseMs, awakeMs: 1 });
    fleet.time.advance(5_000);
    return countMistakes(fleet, 60_000);
  };
  const swimLike = { config: { awarenessMaxMultiplier: 1, suspicionMaxTimeoutMult: 1 }, pauseRule: false };

  it('take 50 times fewer healthy ones for dead with Lifeguard', () => {
    const without = slowly('blocked', 8_000, swimLike);
    const lifeguard = slowly('blocked', 8_000, {});
    expect(without.deaths).toBeGreaterThan(100);
    expect(lifeguard.deaths).toBeLessThanOrEqual(without.deaths / 50);
    expect(lifeguard.suspicions).toBeLessThan(without.suspicions / 3);
  });

  it('that stand still with their timers accuse nobody, by our rule for pauses', () => {
    expect(slowly('stopped', 2_000, { pauseRule: false }).suspicions).toBeGreaterThan(20);
    expect(slowly('stopped', 2_000, { pauseRule: true }).suspicions).toBe(0);
  });
});

describe('the shared index', () => {
  it('answers as a map does, whatever is done to it', () => {
    const rng = seededRng(9);
    const shared = new SharedIndex(new Map(['a', 'b', 'c'].map((name, id) => [name, id])));
    const twin = new Map<string, number>();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (let i = 0; i < 2_000; i++) {
      const name = names[Math.floor(rng() * names.length)] ?? '';
      if (rng() < 0.05) for (const index of [shared, twin]) index.clear();
      else if (rng() < 0.5) for (const index of [shared, twin]) index.set(name, i);
      expect(names.map((one) => shared.get(one))).toEqual(names.map((one) => twin.get(one)));
    }
  });
});

describe('statistics', () => {
  it('are those of the values', () => {
    expect([quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.99), quantile([5], 0.5), mean([1, 2, 6])]).toEqual([
      2, 4, 5, 3,
    ]);
    expect([quantile([], 0.5), mean([])]).toEqual([Number.NaN, Number.NaN]);
  });
});
