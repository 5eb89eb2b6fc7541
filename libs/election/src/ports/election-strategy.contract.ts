import type { StrategyName } from '../core/types.js';
import { World } from '../sim/world.js';
import type { WorldOptions } from '../sim/world-options.js';

/** What differs between strategies: how long they may take, and whether a side without a majority may lead. */
export interface ContractTimes {
  /** First start to a leader (ms). */
  readonly startMs: number;
  /** A leader's crash to the next leader (ms). */
  readonly crashMs: number;
  readonly needsMajority: boolean;
}

const five = ['a', 'b', 'c', 'd', 'e'];
const tenMinutes = 600_000;

/** Every strategy passes this, in worlds whose judge watches every step: one leader per term, no act after a lease, no older act takes effect. */
export function electionStrategyContract(strategy: StrategyName, times: ContractTimes): void {
  describe(`ElectionStrategy contract: ${strategy}`, () => {
    const world = (change: Partial<WorldOptions> = {}): World =>
      new World({ seed: 7, nodes: ['a', 'b', 'c'], latencyMs: [1, 10], strategy, ...change });
    const settled = (change: Partial<WorldOptions> = {}): { w: World; leader: string } => {
      const w = world(change);
      w.startAll();
      w.time.runUntil(times.startMs + 2_000);
      return { w, leader: leaderIn(w) };
    };
    const run = (w: World, ms: number): void => w.time.runUntil(w.time.now + ms);
    const leaderIn = (w: World): string => {
      const [leader, ...others] = w.acting();
      expect(others).toEqual([]);
      expect(w.views()).toEqual(w.names.filter((name) => w.isUp(name)).map(() => leader));
      return leader as string;
    };
    const cutOff = (w: World, name: string, how: 'both' | 'in' | 'out'): void => {
      for (const other of [...w.names.filter((node) => node !== name), 'store', 'kv']) {
        if (how !== 'in') w.links.cutOneWay(name, other);
        if (how !== 'out') w.links.cutOneWay(other, name);
      }
    };

    it.each([1, 3, 5])('has one leader, whom all follow, soon after %i nodes start', (count) => {
      const { w } = settled({ nodes: five.slice(0, count) });
      expect(w.judge.steppedUpAt[0]?.at).toBeLessThanOrEqual(times.startMs);
    });

    it('has another leader soon after one crashed, at most times', () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const { w, leader } = settled({ seed, nodes: five });
        run(w, seed * 37);
        const killed = w.time.now;
        w.crash(leader);
        run(w, times.crashMs);
        expect(leaderIn(w)).not.toBe(leader);
        expect(w.judge.steppedUpAt.at(-1)?.at).toBeLessThanOrEqual(killed + times.crashMs);
      }
    });

    it('lets a leader that was paused beyond its lease act in vain, and follow', () => {
      const { w, leader } = settled();
      w.pause(leader);
      run(w, times.crashMs + 3_000);
      const next = w.acting();
      expect(next).toHaveLength(1);
      expect(next).not.toContain(leader);
      w.resume(leader);
      run(w, 1_000);
      expect(leaderIn(w)).toBe(next[0]);
    });

    it('needs no hand when a partition heals', () => {
      const { w, leader } = settled();
      cutOff(w, leader, 'both');
      run(w, times.crashMs + 1_000);
      const next = w.acting().filter((name) => name !== leader);
      expect(next).toHaveLength(1);
      w.healAll();
      run(w, 5_000);
      expect(leaderIn(w)).toBe(next[0]);
    });

    it.each(['in', 'out'] as const)('survives a leader whose way %s is cut', (how) => {
      const { w, leader } = settled({ nodes: five });
      cutOff(w, leader, how);
      run(w, times.crashMs + 4_000);
      expect(w.acting().filter((name) => name !== leader).length).toBeLessThanOrEqual(1);
      w.healAll();
      run(w, times.crashMs);
      leaderIn(w);
    });

    it('changes no leader in ten quiet minutes, with 10 % of all messages lost', () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const w = world({ seed, loss: 0.1, clockRate: 0.05, trace: false });
        w.startAll();
        w.time.runUntil(60_000);
        const changes = w.judge.steppedUpAt.length;
        w.time.runUntil(tenMinutes + 60_000);
        expect(w.judge.steppedUpAt).toHaveLength(changes);
      }
    });

    it('hands the lead over within half a second when its leader resigns, or is stopped', () => {
      for (const how of ['resign', 'stop'] as const) {
        const { w, leader } = settled();
        const before = w.judge.steppedUpAt.length;
        if (how === 'stop') w.stop(leader);
        else w.hint(leader, { kind: 'resign' });
        run(w, 500);
        expect(w.judge.steppedUpAt.length).toBe(before + 1);
        expect(leaderIn(w)).not.toBe(leader);
      }
    });

    it('resigns in favour of the one that is named', () => {
      const { w, leader } = settled({ nodes: five });
      const named = w.names.find((name) => name !== leader) as string;
      w.hint(leader, { kind: 'resign', to: w.node(named).name });
      run(w, 500);
      expect(leaderIn(w)).toBe(named);
    });

    it('survives a rolling restart with a leader all but moments', () => {
      const { w } = settled();
      for (const name of w.names) {
        w.stop(name);
        run(w, 500);
        w.start(name);
        run(w, times.crashMs);
        leaderIn(w);
      }
      expect(w.judge.steppedUpAt.length).toBeLessThanOrEqual(1 + w.names.length * 2);
    });

    it('lets a node that was alone for an hour disturb nobody when it is back', () => {
      const { w, leader } = settled({ trace: false });
      const alone = w.names.find((name) => name !== leader) as string;
      cutOff(w, alone, 'both');
      run(w, 3_600_000);
      const changes = w.judge.steppedUpAt.length;
      const { term } = w.store;
      w.healAll();
      run(w, 10_000);
      expect(leaderIn(w)).toBe(leader);
      expect([changes, w.judge.steppedUpAt.length, w.store.term]).toEqual([1, 1, term]);
    });

    it(
      times.needsMajority
        ? 'leads on the side of a majority only'
        : 'lets one node alone lead when all others are dead',
      () => {
        const { w } = settled({ nodes: five });
        for (const name of five.slice(1)) w.crash(name);
        run(w, times.crashMs + 5_000);
        expect(w.acting()).toEqual(times.needsMajority ? [] : ['a']);
        for (const name of five.slice(1, 3)) w.start(name);
        run(w, times.crashMs + 2_000);
        leaderIn(w);
      },
    );

    it('leads nobody while the store is away, and goes on when it is back', () => {
      const { w } = settled();
      w.store.away = true;
      run(w, 4_000);
      expect(w.acting()).toEqual([]);
      w.store.away = false;
      run(w, times.crashMs + 1_000);
      leaderIn(w);
    });

    it('claims the next term for a new instance of its job-splitter, and keeps the lead', () => {
      const { w, leader } = settled();
      w.restartSplitter(leader);
      run(w, 500);
      expect(leaderIn(w)).toBe(leader);
      expect(w.store.term).toBe(2);
    });

    it('passes the lead on when the job-splitter of the leader falls silent', () => {
      const { w, leader } = settled();
      w.silenceSplitter(leader);
      run(w, 4_000);
      expect(leaderIn(w)).not.toBe(leader);
    });

    it('is left alone by hints that are false', () => {
      const { w, leader } = settled();
      for (let i = 0; i < 40; i += 1) {
        for (const name of w.names) {
          const kind = i % 2 === 0 ? 'memberDead' : 'memberAlive';
          w.hint(name, { kind, node: w.node(leader).name });
        }
        run(w, 100);
      }
      expect(leaderIn(w)).toBe(leader);
      expect(w.judge.steppedUpAt).toHaveLength(1);
    });

    it('leaves no timer and says nothing after it was stopped', () => {
      const { w, leader } = settled();
      for (const name of w.names) w.stop(name);
      expect(w.stateOf(leader).deadlines).toEqual({});
      const said = w.transcript.length;
      run(w, 60_000);
      expect(w.transcript).toHaveLength(said);
    });

    it('gives the same log for the same seed, byte for byte', () => {
      const story = (): string => {
        const w = world({ seed: 11, loss: 0.1, duplicates: 0.05, stragglers: 0.01, clockRate: 0.05 });
        w.startAll();
        run(w, 20_000);
        for (const name of w.acting()) w.crash(name);
        run(w, 20_000);
        return w.transcript.join('\n');
      };
      const first = story();
      expect(first.length).toBeGreaterThan(100);
      expect(story()).toBe(first);
    });
  });
}
