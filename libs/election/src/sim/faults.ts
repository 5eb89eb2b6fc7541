import type { NodeId } from '@das/kernel';
import type { RaftState } from '../core/raft/types.js';
import type { StrategyName } from '../core/types.js';
import type { World } from './world.js';

type Fault = (world: World, name: string, other: string) => void;

/** Each with its end, so that none lasts for ever by chance alone. */
const common: readonly Fault[] = [
  (world, name) => {
    world.crash(name);
    world.time.after(20 + world.rng() * 4_000, () => world.start(name));
  },
  // Back before anyone noticed: what it forgot, the others still count on.
  (world, name) => {
    world.crash(name);
    world.time.after(1 + world.rng() * 60, () => world.start(name));
  },
  (world, name) => {
    world.stop(name);
    world.time.after(500, () => world.start(name));
  },
  (world, name) => {
    world.pause(name);
    world.time.after(world.rng() * 5_000, () => world.resume(name));
  },
  (world, name, other) => world.links.cut(name, other),
  (world, name, other) => world.links.cutOneWay(name, other),
  (world, name) => world.names.forEach((other) => world.links.cut(name, other)),
  (world, name) => world.names.forEach((other) => world.links.cutOneWay(name, other)),
  (world, name) => world.names.forEach((other) => world.links.cutOneWay(other, name)),
  (world, name) => world.links.cutOneWay(name, 'store'),
  (world) => {
    world.store.away = true;
    world.time.after(world.rng() * 4_000, () => (world.store.away = false));
  },
  (world) => world.healAll(),
  (world, name, other) => world.hint(name, { kind: 'memberDead', node: other as NodeId }),
  (world, name, other) => world.hint(name, { kind: 'memberAlive', node: other as NodeId }),
  (world, name) => world.hint(name, { kind: 'resign' }),
  (world, name) => world.restartSplitter(name),
  (world, name) => {
    world.hint(name, { kind: 'deaf' });
    world.time.after(world.rng() * 2_000, () => world.hint(name, { kind: 'hearing' }));
  },
  (world, name) => {
    world.hint(name, { kind: 'health', score: 6 });
    world.time.after(world.rng() * 5_000, () => world.hint(name, { kind: 'health', score: 0 }));
  },
];

const ofRaft: readonly Fault[] = [
  // One at a time, and only while all others remember: more loss than that is no fault to survive.
  (world, name) => {
    const remembers = (other: string): boolean =>
      world.isUp(other) && world.stateOf<RaftState>(other).recovery === undefined;
    if (world.names.length === 1 || world.store.term === 0 || !world.names.every(remembers)) return;
    world.crash(name);
    world.loseDisk(name);
    world.time.after(20 + world.rng() * 2_000, () => world.start(name));
  },
];

const ofLease: readonly Fault[] = [
  (world, name) => world.links.cutOneWay(name, 'kv'),
  (world) => {
    world.kv.away = true;
    world.time.after(world.rng() * 6_000, () => (world.kv.away = false));
  },
];
const amnesia: readonly Fault[] = [(world) => world.loseBucket('tail'), (world) => world.loseBucket('all')];

/** A bucket that forgets lets rounds be given out again, so every other run is without: there the order of rounds is checked too. */
export function faultsOf(strategy: StrategyName, seed: number): readonly Fault[] {
  if (strategy === 'raft') return [...common, ...ofRaft];
  if (strategy === 'bully') return common;
  return seed % 2 === 0 ? [...common, ...ofLease] : [...common, ...ofLease, ...amnesia];
}
