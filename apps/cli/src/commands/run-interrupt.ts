import { type JobView } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import type { Client } from '../client/client.js';
import { ExitError, exitCodes } from '../errors.js';

/** A script is looked at and a job stored within this; an interrupt waits so long for the id of the job it is to cancel (ms). */
const answerWithinMs = 10_000;
/** After so many cancellations that failed, an interrupt leaves. */
const cancelTriesMax = 3;

interface Tools {
  readonly client: Pick<Client, 'delete'>;
  readonly clock: Clock;
  readonly err: (line: string) => void;
}

/** What Ctrl-C does to `das run`: the first one cancels the job, or breaks off an upload that no job can come of; one more leaves at once. */
export class RunInterrupt {
  readonly #leaving = new AbortController();
  #cancelling = false;
  #tries = 0;
  #sent = false;
  #job: string | undefined;
  #stopWaiting: () => void = () => undefined;

  constructor(private readonly tools: Tools) {}

  /** Aborts when the command is to end without waiting for the cluster. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }
  /** A job was, or is to be, cancelled. */
  get cancelled(): boolean {
    return this.#cancelling;
  }

  /** The result of some work. @throws ExitError as soon as an interrupt leaves. */
  during<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      const left = (): void => reject(signal.reason as ExitError);
      if (signal.aborted) left();
      signal.addEventListener('abort', left);
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', left));
    });
  }

  /** The submission is with the cluster whole: from here on a job may come of it. */
  sent(): void {
    this.#sent = true;
  }

  /** The cluster has taken the job. */
  taken(job: string): void {
    this.#job = job;
    this.#stopWaiting();
    if (this.#cancelling) this.#cancel(job);
  }

  press(): void {
    if (this.#cancelling || this.#tries >= cancelTriesMax) return this.#leave(this.#whatMayRun());
    this.#cancelling = true;
    if (this.#job !== undefined) return this.#cancel(this.#job);
    if (!this.#sent) return this.#leave('cancelled before the job was submitted');
    this.tools.err('cancelling, as soon as the cluster tells the id of the job … (Ctrl-C again leaves at once)');
    this.#stopWaiting = this.tools.clock.timer(answerWithinMs, () => this.#leave(this.#whatMayRun()));
  }

  /** The command is over. */
  close(): void {
    this.#stopWaiting();
  }

  #cancel(job: string): void {
    const { client, err } = this.tools;
    this.#tries++;
    err(`cancelling job ${job} … (Ctrl-C again leaves at once)`);
    client.delete<JobView>(`/v1/jobs/${job}`, this.signal).catch((thrown: unknown) => {
      if (this.signal.aborted) return;
      this.#cancelling = false;
      const next = this.#tries < cancelTriesMax ? 'tries again' : 'leaves';
      err(`job ${job} could not be cancelled: ${messageOf(thrown)} (Ctrl-C ${next})`);
    });
  }

  #whatMayRun(): string {
    if (this.#job === undefined) return 'no answer to the submission: the job may run; `das jobs` shows it';
    return `left; \`das job ${this.#job}\` tells what became of the job`;
  }

  #leave(words: string): void {
    if (this.signal.aborted) return;
    this.#stopWaiting();
    this.tools.err(words);
    this.#leaving.abort(new ExitError(exitCodes.cancelled));
  }
}
