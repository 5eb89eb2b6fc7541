import type { WorldOptions } from './world-options.js';

/** The weather of the ways; see {@link WorldOptions}. */
export type LinkOptions = Pick<WorldOptions, 'latencyMs' | 'loss' | 'duplicates' | 'stragglers'>;

/** A straggler takes this many times as long. */
const stragglerFactor = 10;

/** The ways between nodes, and to the stores: slow, lossy, and cut where a test cuts them. */
export class Links {
  /** Share of messages lost; a test may change it. */
  loss: number;
  readonly #cuts = new Set<string>();
  readonly #latency: readonly [number, number];

  constructor(
    private readonly rng: () => number,
    private readonly options: LinkOptions,
  ) {
    this.loss = options.loss ?? 0;
    this.#latency = options.latencyMs ?? [1, 4];
  }

  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }
  cutOneWay(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
  }
  heal(): void {
    this.#cuts.clear();
  }
  isCut(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  chance(share: number): boolean {
    return this.rng() < share;
  }
  uniform(max: number): number {
    return this.rng() * max;
  }

  /** Whether one message gets lost. */
  loses(): boolean {
    return this.rng() < this.loss;
  }

  /** How often a message arrives; a node always reaches itself. */
  copies(from: string, to: string): number {
    if (from !== to && (this.isCut(from, to) || this.loses())) return 0;
    return this.rng() < (this.options.duplicates ?? 0) ? 2 : 1;
  }

  /** One way (ms). */
  delay(): number {
    const [min, max] = this.#latency;
    const usual = min + Math.floor(this.rng() * (max - min + 1));
    return this.rng() < (this.options.stragglers ?? 0) ? usual * stragglerFactor : usual;
  }
}
