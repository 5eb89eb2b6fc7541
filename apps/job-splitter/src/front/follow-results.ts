import { Inject, Injectable } from '@nestjs/common';
import type { JobRecord } from '@das/contracts';
import { type Known, inOrder, resultKind } from '@das/jobs';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { JobSignals } from './job-signals.js';
import { Results } from './results.js';
import { failureOf, hasEnded } from './view.js';

/** A result in order while it comes about: provisional until the job succeeds. */
@Injectable()
export class FollowResults {
  constructor(
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(JobSignals) private readonly signals: JobSignals,
    @Inject(Results) private readonly results: Results,
  ) {}

  /**
   * Rows as soon as all before them are committed, until the job ends or `gone` says that nobody reads any more.
   * A job that does not succeed, or starts again under a new generation, ends it with the line `{"$failed":{…}}`.
   */
  async *follow(record: JobRecord, gone: () => boolean): AsyncGenerator<Uint8Array, void> {
    const signal = this.signals.expect(record.spec.job);
    const byItem = resultKind(record.spec.functions) === 'map';
    try {
      let known: Known = { bytes: 0, last: undefined, reach: 0 };
      while (!gone()) {
        const { last, reach } = known;
        const { body, raw } = await this.results.patiently(() => this.results.rows(record, last, reach));
        if (body.generation !== record.generation) {
          yield failedLine(restarted(body.generation));
          return;
        }
        known = inOrder(body.rows, known, byItem);
        if (known.bytes > 0) yield raw.subarray(0, known.bytes);
        else if (hasEnded(body.state)) {
          yield* this.lastLine(record, body.state);
          return;
        } else await signal.wait(frontLimits.followPollMs);
        signal.forget();
      }
    } finally {
      signal.close();
    }
  }

  private async *lastLine({ spec }: JobRecord, state: string): AsyncGenerator<Uint8Array, void> {
    if (state !== 'succeeded') yield failedLine(failureOf((await this.store.job(spec.job)).record));
  }
}

const restarted = (generation: number) => ({
  code: 'JOB_RESTARTED',
  message: `split() gave other items, so the job started again (generation ${generation}); read the results again`,
});

const failedLine = (failure: object): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify({ $failed: failure })}\n`);
