import { type JobEvent, type JobState, type JobView, jobEventSchema, jobTransitions } from '@das/contracts';
import { type Clock, isTerminal } from '@das/kernel';
import { NoClusterError, ProblemError } from '../errors.js';
import type { Client } from './client.js';
import { hearing } from './quiet.js';
import { serverEvents } from './sse.js';

export const hasEnded = (state: JobState): boolean => isTerminal(jobTransitions, state);

const againMs = 300;
/** An answer that breaks off so often at the same place will not become whole. */
const stallsMax = 10;

/**
 * Tells a job's events until it has ended, from whichever node answers, each once; resolves with the job as it is then.
 * @throws ProblemError, NoClusterError.
 */
export async function followJob(
  client: Client,
  id: string,
  told: (event: JobEvent) => void,
  signal?: AbortSignal,
): Promise<JobView> {
  let last: string | undefined;
  for (;;) {
    last = await readEvents(client, id, last, told, signal);
    signal?.throwIfAborted();
    const job = await client.get<JobView>(`/v1/jobs/${id}`, {}, signal);
    if (hasEnded(job.state)) return job;
    await client.pause(againMs);
  }
}

/** Reads one stream to its end, or until it breaks off; resolves with the id of the last event. */
async function readEvents(
  client: Client,
  id: string,
  after: string | undefined,
  told: (event: JobEvent) => void,
  signal?: AbortSignal,
): Promise<string | undefined> {
  let last = after;
  const frozen = new AbortController();
  const quiet = (): void => {
    client.next('is silent');
    frozen.abort();
  };
  try {
    const headers: Record<string, string> = after === undefined ? {} : { 'last-event-id': after };
    const init = { headers, signal: withSignal(frozen, signal) };
    const body = bodyOf(await client.open(`/v1/jobs/${id}/events`, {}, init));
    for await (const event of serverEvents(hearing(body, client.clock, quiet))) {
      last = event.id ?? last;
      const parsed = jobEventSchema.safeParse(JSON.parse(event.data));
      if (parsed.success) told(parsed.data);
    }
  } catch (thrown) {
    if (thrown instanceof NoClusterError) throw thrown;
    if (thrown instanceof ProblemError && thrown.problem.status !== 503) throw thrown;
  }
  return last;
}

const withSignal = (own: AbortController, given: AbortSignal | undefined): AbortSignal =>
  given === undefined ? own.signal : AbortSignal.any([own.signal, given]);

/** A stream that told nothing for so long has told the past (ms). */
const pastQuietMs = 700;

/** Tells the events of a running job so far, and ends when nothing more came for a moment. */
export async function pastEvents(
  client: Client,
  id: string,
  told: (event: JobEvent) => void,
  clock: Clock,
): Promise<void> {
  const quiet = new AbortController();
  let cancel = clock.timer(pastQuietMs, () => quiet.abort());
  const heard = (event: JobEvent): void => {
    told(event);
    cancel();
    cancel = clock.timer(pastQuietMs, () => quiet.abort());
  };
  await readEvents(client, id, undefined, heard, quiet.signal);
  cancel();
}

/** A response's bytes; none for an empty answer. */
export async function* bodyOf(response: Response): AsyncGenerator<Uint8Array, void> {
  if (response.body) yield* response.body as unknown as AsyncIterable<Uint8Array>;
}

/** Breaks off when nothing comes and its node does not answer: a followed result may well be quiet for hours, and has no keep-alives. */
async function openLively(
  client: Client,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<Uint8Array, void>> {
  const frozen = new AbortController();
  const response = await client.open(path, query, { signal: withSignal(frozen, signal) });
  const quiet = (): void => void client.stillAnswers(response).then((answers) => answers || frozen.abort());
  return hearing(bodyOf(response), client.clock, quiet);
}

/**
 * The bytes of something that every node answers alike, from its beginning; when a node goes, another one's answer is read and what was
 * handed on already is skipped. So no line comes twice and none is lost.
 */
export async function* wholeOf(
  client: Client,
  path: string,
  query: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let told = 0;
  for (let stalls = 0; stalls < stallsMax; stalls++) {
    const body = await openLively(client, path, query, signal);
    try {
      for (let place = 0; ;) {
        const next = await body.next().catch(() => 'broken' as const);
        if (next === 'broken') break;
        if (next.done === true) return;
        const fresh = next.value.subarray(Math.max(0, told - place));
        place += next.value.length;
        if (place <= told) continue;
        [told, stalls] = [place, 0];
        yield fresh;
      }
    } finally {
      // A reader that left early must not keep the connection, and with it this process.
      await body.return();
    }
    signal?.throwIfAborted();
    client.next('broke off');
    await client.pause(againMs);
  }
  throw new NoClusterError(`${path} broke off ${stallsMax} times at byte ${told}`);
}

/** Says with a lost cluster that the job is none. */
export async function keepingJob<T>(id: string, work: Promise<T>): Promise<T> {
  return work.catch((thrown: unknown) => {
    if (!(thrown instanceof NoClusterError)) throw thrown;
    const hint = `job ${id} is kept; once a node answers: das job ${id}, das results ${id}`;
    throw new NoClusterError(thrown.message, { hint });
  });
}
