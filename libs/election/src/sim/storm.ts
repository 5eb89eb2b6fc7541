import { World } from './world.js';
import type { WorldOptions } from './world.js';

/** How long faults happen, and how long it is calm afterwards (ms). */
export const stormMs = 40_000;
export const calmMs = 12_000;

/** One seeded run: faults of every kind for a while, then a calm tail. */
export function storm(seed: number, nodeCount: number, change: Partial<WorldOptions> = {}): World {
  const nodes = ['a', 'b', 'c', 'd', 'e'].slice(0, nodeCount);
  const world = new World({ seed, nodes, latencyMs: [1, 60], loss: 0.1, duplicates: 0.05, ...change });
  world.startAll();
  const next = (): void => {
    if (world.time.now > stormMs) return;
    fault(world);
    world.time.after(50 + Math.floor(world.rng() * 1_500), next);
  };
  world.time.after(500, next);
  world.time.runUntil(stormMs + 1_500);
  world.healAll();
  world.loss = 0;
  for (const name of world.names) world.start(name);
  world.time.runUntil(stormMs + 1_500 + calmMs);
  return world;
}

function pick<T>(world: World, list: readonly T[]): T {
  return list[Math.floor(world.rng() * list.length)] as T;
}

/** Every fault with its end, so that none lasts for ever by chance alone. */
const faults: ((world: World, name: string, other: string) => void)[] = [
  (world, name) => {
    world.crash(name);
    world.time.after(20 + world.rng() * 4_000, () => world.start(name));
  },
  (world, name) => {
    world.stop(name);
    world.time.after(500, () => world.start(name));
  },
  (world, name) => {
    world.pause(name);
    world.time.after(world.rng() * 5_000, () => world.resume(name));
  },
  (world, name, other) => world.cut(name, other),
  (world, name, other) => world.cutOneWay(name, other),
  (world, name) => world.names.forEach((other) => world.cut(name, other)),
  (world, name) => world.cutStore(name),
  (world) => {
    world.store.away = true;
    world.time.after(world.rng() * 4_000, () => (world.store.away = false));
  },
  (world) => world.healAll(),
  (world, name, other) => world.hint(name, { kind: 'memberDead', node: other as never }),
  (world, name, other) => world.hint(name, { kind: 'memberAlive', node: other as never }),
  (world, name) => world.restartSplitter(name),
  (world, name) => {
    world.hint(name, { kind: 'deaf' });
    world.time.after(world.rng() * 2_000, () => world.hint(name, { kind: 'hearing' }));
  },
];

function fault(world: World): void {
  pick(world, faults)(world, pick(world, world.names), pick(world, world.names));
}
