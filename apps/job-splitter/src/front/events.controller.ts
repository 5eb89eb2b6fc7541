import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { Fault, type JobEvent } from '@das/contracts';
import type { LoggedEvent } from '@das/messaging';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import type { Request, Response } from 'express';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { type FollowOutcome, JobStream, type TextSink } from './job-stream.js';
import { followQuery, noQuery, parseQuery } from './query.js';
import { sendPages } from './streaming.js';
import { hasEnded } from './view.js';

const eventKinds = ['state', 'progress', 'note'] as const;
const logKinds = ['log'] as const;

/** What was told of a job: as server-sent events, and its scripts' prints as text. */
@Controller('v1/jobs/:id')
export class EventsController {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
    @Inject(JobStream) private readonly stream: JobStream,
  ) {}

  /** Replays from the first kept event, or behind Last-Event-ID; ends after the job's last state. */
  @Get('events')
  async events(
    @Param('id') id: string,
    @Query() query: unknown,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    parseQuery(noQuery, query);
    const after = lastEventId(request);
    const { record } = await this.store.job(id);
    response.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }).type('text/event-stream');
    response.flushHeaders();
    const stopKeepAlive = this.context.clock.every(frontLimits.keepAliveMs, () => response.write(': still here\n\n'));
    const isLast = (event: JobEvent): boolean => event.event === 'state' && hasEnded(event.state);
    const options = { after, kinds: eventKinds, isLast, graceMs: 2 * frontLimits.eventsPollMs };
    try {
      close(response, await this.stream.follow(record.spec.job, options, sinkOf(response), sseText));
    } finally {
      stopKeepAlive();
    }
  }

  /** `[node part] line`, oldest first. */
  @Get('logs')
  async logs(@Param('id') id: string, @Query() query: unknown, @Res() response: Response): Promise<void> {
    const { follow } = parseQuery(followQuery, query);
    const job = (await this.store.job(id)).record.spec.job;
    response.type('text/plain; charset=utf-8');
    if (!follow) {
      await sendPages(response, this.storedLogs(job));
      return;
    }
    response.flushHeaders();
    const options = { after: 0, kinds: logKinds, isLast: () => false, graceMs: frontLimits.logsGraceMs };
    close(response, await this.stream.follow(job, options, sinkOf(response), logText));
  }

  private async *storedLogs(job: Parameters<JobStream['stored']>[0]): AsyncGenerator<Uint8Array, void> {
    for await (const logged of this.stream.stored(job, logKinds)) yield Buffer.from(logText(logged));
  }
}

/** A client that lagged is cut off, so that it cannot take the stream for whole. */
function close(response: Response, outcome: FollowOutcome): void {
  if (outcome === 'over') response.end();
  else response.destroy();
}

function sinkOf(response: Response): TextSink {
  return {
    get pending() {
      return response.writableLength;
    },
    closed: new Promise((resolve) => response.once('close', resolve)),
    write: (text) => void response.write(text),
  };
}

function lastEventId(request: Request): number {
  const given = request.get('last-event-id');
  if (given === undefined || given === '') return 0;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new Fault('REQUEST_INVALID', 'Last-Event-ID is not an event of ours', {
    field: 'Last-Event-ID',
    expected: 'the `id` of an event received before',
  });
}

/** One server-sent event; JSON has no line ends, so one `data` line is enough. */
export function sseText({ seq, event }: LoggedEvent): string {
  return `id: ${seq}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Lines of a log event, each with its origin. */
export function logText({ event }: LoggedEvent): string {
  if (event.event !== 'log') return '';
  return event.lines.map((line) => `[${event.node} ${event.part}] ${line}\n`).join('');
}
