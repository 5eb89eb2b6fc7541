import type { JobEvent } from '@das/contracts';
import type { Clock } from '@das/kernel';
import { SingleBar } from 'cli-progress';
import { standingLine } from '../core/human.js';
import { standingOf, stateWords } from './event.js';

/** Plain lines come no faster than this (ms). */
const lineEveryMs = 2_000;

/** Shows how a job goes, on standard error. */
export interface ProgressView {
  told(event: JobEvent): void;
  /** Takes the bar away, so that lines may follow. */
  close(): void;
}

interface ViewOptions {
  readonly terminal: boolean;
  readonly json: boolean;
  readonly err: (line: string) => void;
  readonly clock: Clock;
}

export function progressView(options: ViewOptions): ProgressView {
  if (options.json) return { told: (event) => options.err(JSON.stringify(event)), close: () => undefined };
  return options.terminal ? new BarView(options) : new LineView(options);
}

/** The bar is full, and the job has not ended: say why. */
const settles = (event: JobEvent): event is Extract<JobEvent, { event: 'state' }> =>
  event.event === 'state' && event.state === 'settling';

class LineView implements ProgressView {
  #last = '';
  #at = -Infinity;
  constructor(private readonly options: ViewOptions) {}

  told(event: JobEvent): void {
    const { err, clock } = this.options;
    if (event.event === 'note') err(`note: ${event.message}`);
    if (settles(event)) err(stateWords(event));
    if (event.event !== 'progress' || clock.monotonic() - this.#at < lineEveryMs) return;
    const line = standingLine(standingOf(event));
    if (line !== this.#last) err(line);
    [this.#last, this.#at] = [line, clock.monotonic()];
  }
  close(): void {
    this.#last = '';
  }
}

class BarView implements ProgressView {
  #bar: SingleBar | undefined;
  constructor(private readonly options: ViewOptions) {}

  told(event: JobEvent): void {
    if (event.event === 'note') {
      this.close();
      this.options.err(`note: ${event.message}`);
    }
    if (settles(event)) {
      this.close();
      this.options.err(stateWords(event));
    }
    if (event.event !== 'progress') return;
    const standing = standingOf(event);
    this.#bar ??= newBar();
    this.#bar.setTotal(Math.max(standing.total, 1));
    // While the number of items still grows, a share would go backwards.
    this.#bar.update(standing.final ? standing.done + standing.failed : 0, { text: standingLine(standing) });
  }
  close(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function newBar(): SingleBar {
  const bar = new SingleBar({
    format: ' {bar}  {text}',
    barsize: 28,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    fps: 8,
    // We handle Ctrl-C ourselves.
    gracefulExit: false,
  });
  bar.start(1, 0, { text: '' });
  return bar;
}
