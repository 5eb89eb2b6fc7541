import type { Clock } from '@das/kernel';
import { z } from 'zod';
import { eventually } from './eventually.js';

const probeTimeoutMs = 2_000;
const reasonsSchema = z.object({ reasons: z.array(z.string()) });

/** Asks a node whether it is ready, and remembers what it waits for. */
export class ReadyProbe {
  /** Why it is not ready, in words, as far as is known. */
  waitsFor = 'its services have not started';
  #stopped = false;

  constructor(private readonly clock: Clock) {}

  /** Resolves when `GET /health/ready` of its front door (a base URL) says so, or after `withinMs`. */
  async answers(rest: string, withinMs: number): Promise<void> {
    this.waitsFor = `${rest} does not answer`;
    await eventually(async () => this.#stopped || (await this.#ask(rest)), { clock: this.clock, withinMs });
  }

  /** Nobody waits for the answer any more. */
  stop(): void {
    this.#stopped = true;
  }

  async #ask(rest: string): Promise<boolean> {
    try {
      const response = await fetch(`${rest}/health/ready`, { signal: AbortSignal.timeout(probeTimeoutMs) });
      const told = reasonsSchema.safeParse(await response.json().catch(() => undefined));
      if (told.success) this.waitsFor = told.data.reasons.join('; ');
      return response.ok;
    } catch {
      return false;
    }
  }
}
