import { Inject, Injectable } from '@nestjs/common';
import type { JobEvent } from '@das/contracts';
import type { JobId } from '@das/kernel';
import type { LoggedEvent } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { JobSignals } from './job-signals.js';
import { hasEnded } from './view.js';

/** Where a follower's text goes: the response of a request. */
export interface TextSink {
  /** Bytes handed over that the client has not taken. */
  readonly pending: number;
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
  write(text: string): void;
}

export interface FollowOptions {
  /** `seq` of the last event the client has; 0 for all. */
  readonly after: number;
  readonly kinds: readonly JobEvent['event'][];
  /** The event after which there is nothing more to tell. */
  readonly isLast: (event: JobEvent) => boolean;
  /** A job that the store calls ended, and of which nothing was told for this long, is over even without its last event (ms). */
  readonly graceMs: number;
}

/** Why a stream ended. `lagging`: the client let too much pile up. */
export type FollowOutcome = 'over' | 'lagging' | 'gone';

/** Replays and follows what was told of a job. */
@Injectable()
export class JobStream {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(JobSignals) private readonly signals: JobSignals,
  ) {}

  /** What is kept of a job, in order; holds one page. */
  async *stored(job: JobId, kinds: FollowOptions['kinds']): AsyncGenerator<LoggedEvent, void> {
    for (let after = 0; ;) {
      const page = await this.context.events.read(job, { after, limit: frontLimits.logsPage, kinds });
      yield* page;
      after = page.at(-1)?.seq ?? after;
      if (page.length < frontLimits.logsPage) return;
    }
  }

  /** Writes what is kept, then what happens, until the job is over, the client is gone, or it lags too far behind (it may resume where it was). */
  async follow(
    job: JobId,
    options: FollowOptions,
    sink: TextSink,
    render: (event: LoggedEvent) => string,
  ): Promise<FollowOutcome> {
    const over = new Ending<FollowOutcome>();
    void sink.closed.then(() => over.with('gone'));
    let last = options.after;
    const stop = await this.context.events.follow(job, options, (logged) => {
      if (over.reached || logged.seq <= last) return;
      last = logged.seq;
      sink.write(render(logged));
      if (options.isLast(logged.event)) over.with('over');
      else if (sink.pending > frontLimits.followerBufferBytesMax) over.with('lagging');
    });
    try {
      void this.watch(job, options.graceMs, () => last, over);
      return await over.outcome;
    } finally {
      stop();
    }
  }

  /** Ends a stream whose last event was lost or is no longer kept, by the store's word. Never rejects. */
  private async watch(job: JobId, graceMs: number, last: () => number, over: Ending<FollowOutcome>): Promise<void> {
    const signal = this.signals.expect(job);
    while (!over.reached && !(await this.hasEnded(job))) {
      await Promise.race([signal.wait(frontLimits.eventsPollMs), over.outcome]);
      signal.forget();
    }
    signal.close();
    for (let seen = -1; !over.reached && seen !== last();) {
      seen = last();
      await new Promise<void>((resolve) => void this.context.clock.timer(graceMs, resolve));
    }
    over.with('over');
  }

  /** A store that is away for a while is no reason to end a stream. */
  private hasEnded(job: JobId): Promise<boolean> {
    return this.store.job(job).then(
      ({ record }) => hasEnded(record.state),
      () => false,
    );
  }
}

/** Something that ends once, for the first reason given. */
class Ending<Reason> {
  #resolve: (reason: Reason) => void = () => undefined;
  #reached = false;
  readonly outcome = new Promise<Reason>((resolve) => (this.#resolve = resolve));

  get reached(): boolean {
    return this.#reached;
  }

  with(reason: Reason): void {
    this.#reached = true;
    this.#resolve(reason);
  }
}
