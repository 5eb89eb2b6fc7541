import type { NodeId } from '@das/kernel';
import { bully } from '../core/bully/bully.js';
import { lease } from '../core/lease/lease.js';
import { raft } from '../core/raft/raft.js';
import { defaultTimings } from '../core/timings.js';
import type { StrategyName } from '../core/types.js';
import type { ElectionStrategy } from '../ports/election-strategy.js';
import { SimClock } from './sim-clock.js';
import { SimDisk } from './sim-disk.js';
import type { SimNode } from './sim-node.js';
import type { WorldOptions } from './world-options.js';

/** States are the strategy's own; to the simulator all are offices with something more. */
const strategies: Record<StrategyName, ElectionStrategy> = {
  bully: bully,
  raft: raft,
  lease: lease,
};

/** Builds the machines of a world: what is in them comes from its options and its seed. */
export class Machines {
  readonly strategy: ElectionStrategy;
  readonly timings: typeof defaultTimings;

  constructor(
    private readonly options: WorldOptions,
    private readonly rng: () => number,
  ) {
    const real = strategies[options.strategy ?? 'bully'];
    this.strategy = options.weaken?.strategy?.(real) ?? real;
    this.timings = { ...defaultTimings, ...options.timings, ...options.weaken?.timings };
  }

  first(name: string): SimNode {
    const error = this.options.clockRate ?? 0;
    const rate = 1 + (this.rng() * 2 - 1) * error;
    const offset = error === 0 ? 0 : Math.floor(this.rng() * 1e6);
    return this.#node(name as NodeId, 0, new SimClock(rate, offset), new SimDisk(this.rng));
  }

  next({ name, life, clock, disk }: SimNode): SimNode {
    return this.#node(name, life + 1, clock, disk);
  }

  #node(name: NodeId, life: number, clock: SimClock, disk: SimDisk): SimNode {
    const { nodes, voters = nodes, priorities = {} } = this.options;
    const state = this.strategy.initialState({
      self: name,
      instance: `${name}${life}`,
      priorities,
      voters: voters as readonly NodeId[],
      preempt: true,
      timings: this.timings,
    });
    const splitter = { up: true, epoch: life * 100 };
    return { name, clock, disk, life, state, up: false, paused: false, inbox: [], splitter };
  }
}
