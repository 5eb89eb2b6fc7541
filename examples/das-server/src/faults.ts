import type { Rng } from './core/rng.js';

export interface FaultSettings {
  /** Added to every request (ms). */
  readonly latencyMs: number;
  /** Share of requests that fail, 0 to 1. */
  readonly failRate: number;
}

/** A failure on purpose. Ask again. */
export class ImitatedFailureError extends Error {
  constructor() {
    super('the server failed (imitated: --fail-rate)');
    this.name = 'ImitatedFailureError';
  }
}

/** The connection is to be cut without an answer, on purpose. Ask again. */
export class CutConnectionError extends Error {
  constructor() {
    super('the connection was cut (imitated: --fail-rate)');
    this.name = 'CutConnectionError';
  }
}

/** Imitates a far, flaky server. Half of the failures are an error 500, half a cut connection. */
export class Faults {
  constructor(
    private readonly settings: FaultSettings,
    private readonly rng: Rng,
    private readonly sleep: (ms: number) => Promise<unknown>,
  ) {}

  /** Comes before each request. @throws ImitatedFailureError, CutConnectionError */
  async strike(): Promise<void> {
    const { latencyMs, failRate } = this.settings;
    if (latencyMs > 0) await this.sleep(latencyMs);
    if (failRate === 0 || this.rng() >= failRate) return;
    throw this.rng() < 0.5 ? new ImitatedFailureError() : new CutConnectionError();
  }
}
