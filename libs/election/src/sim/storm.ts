import type { StrategyName } from '../core/types.js';
import { faultsOf } from './faults.js';
import { World } from './world.js';
import type { WorldOptions } from './world-options.js';

/** How long faults happen (ms). */
export const stormMs = 40_000;
/** How long it is calm afterwards: enough for one more election, whose wait differs. */
export const calmMs: Record<StrategyName, number> = { bully: 12_000, raft: 12_000, lease: 24_000 };

const names = ['a', 'b', 'c', 'd', 'e'];

/** One seeded run: faults of every kind for a while, then a calm tail. */
export function storm(seed: number, nodeCount: number, change: Partial<WorldOptions> = {}): World {
  const strategy = change.strategy ?? 'bully';
  const weather = { latencyMs: [1, 60], loss: 0.1, duplicates: 0.05, stragglers: 0.01, clockRate: 0.05 } as const;
  const world = new World({ seed, nodes: names.slice(0, nodeCount), ...weather, trace: false, ...change });
  const faults = faultsOf(strategy, seed);
  world.startAll();
  const next = (): void => {
    if (world.time.now > stormMs) return;
    pick(world, faults)(world, pick(world, world.names), pick(world, world.names));
    world.time.after(50 + Math.floor(world.rng() * 1_500), next);
  };
  world.time.after(500, next);
  world.time.runUntil(stormMs + 1_500);
  world.say('-- calm');
  world.healAll();
  world.links.loss = 0;
  for (const name of world.names) world.start(name);
  world.time.runUntil(stormMs + 1_500 + calmMs[strategy]);
  return world;
}

function pick<T>(world: World, list: readonly T[]): T {
  return list[Math.floor(world.rng() * list.length)] as T;
}

/**
 * After the calm: one leads, and all see the same. A hand-over to a better node may just be under way: then a moment later.
 * @throws Error that names the seed.
 */
export function agreed(world: World): World {
  if (!sameView(world)) world.time.runUntil(world.time.now + 1_500);
  if (!sameView(world)) world.judge.fail(`after the calm the nodes see ${world.views().join(', ')}`);
  return world;
}

function sameView(world: World): boolean {
  const [acting, ...others] = world.acting();
  return acting !== undefined && others.length === 0 && world.views().every((view) => view === acting);
}
