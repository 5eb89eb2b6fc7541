import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { jobEnded } from '@das/contracts';
import type { Cancel, JobId } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';

/** Remembers that a job was told to have ended, so that nobody misses it between two waits. */
export class EndSignal {
  #ended = false;
  #state: string | undefined;
  #result: string | undefined;
  #wake: (() => void) | undefined;

  constructor(
    private readonly timer: (afterMs: number, fire: () => void) => Cancel,
    readonly close: Cancel,
  ) {}

  /** The state it was told to have ended in. The store tells it after its transaction, so it is final. */
  get state(): string | undefined {
    return this.#state;
  }

  /** All of its result, where that was told as well. */
  get result(): string | undefined {
    return this.#result;
  }

  /** Resolves when the job is told to have ended, or after `ms`. */
  wait(ms: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.timer(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Takes note that the hint was acted on; the next wait is for a new one. */
  forget(): void {
    this.#ended = false;
  }

  tell(state: string, result?: string): void {
    this.#ended = true;
    this.#state = state;
    this.#result = result;
    this.#wake?.();
  }
}

/** One subscription to `jobs.ended` for all requests that wait. The announcement is a hint: waiters poll the store beside it. */
@Injectable()
export class JobSignals implements OnModuleInit, OnApplicationShutdown {
  readonly #waiting = new Map<JobId, Set<EndSignal>>();
  #stop: Cancel = () => undefined;

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  async onModuleInit(): Promise<void> {
    this.#stop = await this.context.bus.hear(jobEnded, ({ job, state, belowGeneration, result }) => {
      if (belowGeneration === undefined) this.#waiting.get(job)?.forEach((signal) => signal.tell(state, result));
    });
  }

  onApplicationShutdown(): void {
    this.#stop();
  }

  /** Starts listening for a job's end; before the job is created, when nothing may be missed. Close it when done. */
  expect(job: JobId): EndSignal {
    const signals = this.#waiting.get(job) ?? new Set();
    this.#waiting.set(job, signals);
    const signal: EndSignal = new EndSignal(
      (after, fire) => this.context.clock.timer(after, fire),
      () => {
        signals.delete(signal);
        if (signals.size === 0 && this.#waiting.get(job) === signals) this.#waiting.delete(job);
      },
    );
    signals.add(signal);
    return signal;
  }
}
