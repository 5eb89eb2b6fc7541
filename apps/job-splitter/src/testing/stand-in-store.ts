import {
  type Failure,
  Fault,
  type JobRecord,
  type JobState,
  type ReplyOf,
  type RequestOf,
  abandonJob,
  appendBlock,
  cancelJob,
  createJob,
  currentTerm,
  getJob,
  jobEnded,
  listJobs,
  listParts,
  readOutput,
  sealJob,
} from '@das/contracts';
import { judgeKey } from '@das/jobs';
import type { JobId } from '@das/kernel';
import type { Answer, ServiceBus } from '@das/messaging';

type Row = ReplyOf<typeof readOutput>['rows'][number];

/** One job as the stand-in keeps it. */
export interface StandInJob {
  record: JobRecord;
  readonly codeText: string;
  readonly blocks: { readonly no: number; readonly bytes: Uint8Array }[];
  readonly rows: { readonly row: Row; readonly bytes: Uint8Array }[];
}

/** A results-store for tests of the front door alone: it speaks the contracts, keeps all in memory, and does what the test says. */
export class StandInStore {
  readonly jobs = new Map<JobId, StandInJob>();
  readonly abandoned: JobId[] = [];
  /** Submission keys; each is kept for ever. */
  readonly keys = new Map<string, { readonly job: JobId; digest: string | undefined }>();
  /** Called for each job that has all its items, before its creation is answered. */
  onSealed: (job: StandInJob) => void = () => undefined;
  onRead: () => void = () => undefined;
  onRefused: () => void = () => undefined;
  onAppended: () => void = () => undefined;
  /** Called for each sign of an upload that goes on: its creation, by its own submission again too, and its blocks. */
  onTouched: (job: JobId) => void = () => undefined;
  onAbandoned: () => void = () => undefined;
  /** Thrown by every answer while set. */
  fault: Fault | undefined;
  /** Creations and seals are done, and their answers lost, while set. */
  answersLost = false;
  /** How often `get-job` was asked. */
  gets = 0;
  /** Rows of one page of output. */
  pageRows = 3;
  /** Appends that run, and the most there ever were at once. */
  appending = { now: 0, most: 0 };
  /** Awaited before an append is answered. */
  gate: Promise<void> = Promise.resolve();

  constructor(private readonly bus: ServiceBus) {}

  async start(): Promise<this> {
    const { bus } = this;
    await bus.answer(createJob, async (body, { raw }) => this.#answered(this.#create(body, raw)));
    await bus.answer(appendBlock, (body, { raw }) => this.#append(body, raw));
    await bus.answer(sealJob, async (body) => this.#answered(this.#seal(body)));
    await bus.answer(abandonJob, async ({ job }) => {
      this.jobs.delete(job);
      for (const [key, held] of this.keys) if (held.job === job) this.keys.delete(key);
      this.abandoned.push(job);
      this.onAbandoned();
      return {};
    });
    await bus.answer(getJob, async ({ job }) => this.#get(job));
    await bus.answer(listJobs, async (body) => this.#list(body));
    await bus.answer(listParts, async () => ({ parts: [], more: false }));
    await bus.answer(cancelJob, async ({ job }) => this.#cancel(job));
    await bus.answer(readOutput, async (body) => this.#read(body));
    await bus.answer(currentTerm, async () => this.#checked({ term: 1, renewedAgoMs: 0 }));
    return this;
  }

  /** The stored job; the test asks for one that must be there. */
  job(id: string): StandInJob {
    const job = this.jobs.get(id as JobId);
    if (job === undefined) throw new Error(`the stand-in has no job ${id}`);
    return job;
  }

  /** Commits lines as the output rows of items [from, to). */
  commit(job: StandInJob, kind: Row['kind'], from: number, lines: readonly string[], to = from + lines.length): void {
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
    const seq = job.rows.filter(({ row }) => row.from === from).length;
    job.rows.push({ row: { kind, bucket: 0, from, to, seq, bytes: bytes.length, failed: false }, bytes });
    job.rows.sort((a, b) => a.row.from - b.row.from || a.row.seq - b.row.seq);
  }

  /** Ends a job and tells it. `silently`: the announcement is lost; `result`: what it says of the result. */
  end(
    job: StandInJob,
    state: JobState,
    options: { failure?: Failure; silently?: boolean; result?: string } = {},
  ): void {
    const { failure, silently = false, result } = options;
    job.record = {
      ...job.record,
      state,
      finishedAt: job.record.createdAt + 5,
      ...(failure === undefined ? {} : { failure }),
    };
    if (!silently)
      this.bus.tell(jobEnded, { job: job.record.spec.job, state, ...(result !== undefined && { result }) });
  }

  #checked<T>(value: T): T {
    if (this.fault === undefined) return value;
    this.onRefused();
    throw this.fault;
  }

  #answered<T>(reply: T): T {
    if (this.answersLost) throw new Fault('STORE_UNAVAILABLE', 'the connection broke at the commit');
    return reply;
  }

  #create(request: RequestOf<typeof createJob>, raw: Uint8Array): ReplyOf<typeof createJob> {
    this.#checked(undefined);
    return this.#held(request) ?? this.#createNew(request, raw);
  }

  /** The job that the key of a submission stands for. */
  #held({ spec: { job }, key }: RequestOf<typeof createJob>): ReplyOf<typeof createJob> | undefined {
    if (key === undefined) return undefined;
    const held = this.keys.get(key.key);
    const record = held && this.jobs.get(held.job)?.record;
    const verdict = judgeKey(held && { ...held, state: record?.state, createdAt: 0 }, { job, digest: key.digest }, 0);
    if (verdict === 'free') this.keys.set(key.key, { job, digest: key.digest });
    if (record === undefined || verdict === 'free' || verdict === 'own') return undefined;
    return { job: record, existed: true, key: { verdict, ...(held?.digest && { digest: held.digest }) } };
  }

  #createNew(
    { spec, codeText, items, block }: RequestOf<typeof createJob>,
    raw: Uint8Array,
  ): ReplyOf<typeof createJob> {
    this.onTouched(spec.job);
    const known = this.jobs.get(spec.job);
    if (known !== undefined) return { job: known.record, existed: true };
    const createdAt = 1_700_000_000_000 + this.jobs.size;
    const record: JobRecord = { spec, state: 'submitted', generation: 1, sealed: false, items: 0, cut: 0, createdAt };
    const job: StandInJob = {
      record,
      codeText,
      blocks: block === undefined ? [] : [{ no: block.no, bytes: raw.slice() }],
      rows: [],
    };
    this.jobs.set(spec.job, job);
    if (items !== undefined) this.#sealed(job, items);
    return { job: job.record, existed: false };
  }

  async #append({ job, block }: RequestOf<typeof appendBlock>, raw: Uint8Array): Promise<ReplyOf<typeof appendBlock>> {
    this.appending.now += 1;
    this.appending.most = Math.max(this.appending.most, this.appending.now);
    await this.gate;
    this.appending.now -= 1;
    this.#checked(undefined);
    this.#dropped(job);
    const { blocks } = this.job(job);
    const same = blocks.some(({ no }) => no === block.no);
    if (!same) blocks.push({ no: block.no, bytes: raw.slice() });
    this.onTouched(job);
    this.onAppended();
    return { outcome: same ? 'same' : 'stored' };
  }

  #dropped(job: JobId): void {
    if (!this.jobs.has(job)) throw new Fault('JOB_NOT_FOUND', `there is no job ${job}`);
  }

  #seal({ job: id, items, digest }: RequestOf<typeof sealJob>): ReplyOf<typeof sealJob> {
    this.#dropped(id);
    for (const held of this.keys.values()) if (held.job === id) held.digest = digest;
    const job = this.job(id);
    if (job.record.finishedAt !== undefined) return { outcome: 'jobEnded', job: job.record };
    this.#sealed(job, items);
    return { outcome: 'sealed', job: job.record };
  }

  #sealed(job: StandInJob, items: number): void {
    job.record = { ...job.record, state: 'running', sealed: true, items };
    this.onSealed(job);
  }

  #get(id: JobId): ReplyOf<typeof getJob> {
    this.gets += 1;
    const job = this.#checked(this.jobs.get(id));
    if (job === undefined) return {};
    return { job: job.record, counts: countsOf(job) };
  }

  #list({ limit, state, cursor }: RequestOf<typeof listJobs>): ReplyOf<typeof listJobs> {
    const all = [...this.jobs.values()].reverse();
    const fitting = all.filter(({ record }) => state === undefined || record.state === state);
    const from = Number(cursor ?? 0);
    const page = this.#checked(fitting.slice(from, from + limit));
    const views = { jobs: page.map(({ record }) => record), counts: page.map(countsOf) };
    return fitting.length > from + limit ? { ...views, next: String(from + limit) } : views;
  }

  #cancel(id: JobId): ReplyOf<typeof cancelJob> {
    const job = this.jobs.get(id);
    if (job === undefined) return { outcome: 'unknown' };
    const { state } = job.record;
    if (state === 'succeeded' || state === 'failed') return { outcome: 'ended', job: job.record };
    if (state === 'settling') return { outcome: 'decided', job: job.record };
    if (state !== 'cancelled') this.end(job, 'cancelled');
    return { outcome: state === 'cancelled' ? 'alreadyCancelled' : 'cancelled', job: job.record };
  }

  #read({ job: id, kind, after, contiguousFrom }: RequestOf<typeof readOutput>): Answer<ReplyOf<typeof readOutput>> {
    this.onRead();
    const job = this.#checked(this.job(id));
    const place = after ?? { from: -1, seq: -1 };
    const behind = job.rows.filter(
      ({ row }) => row.kind === kind && (row.from > place.from || (row.from === place.from && row.seq > place.seq)),
    );
    let reach = contiguousFrom ?? Infinity;
    const known = behind.filter(({ row }) => (row.from <= reach ? ((reach = Math.max(reach, row.to)), true) : false));
    const page = known.slice(0, this.pageRows);
    const raw = Buffer.concat(page.map(({ bytes }) => bytes));
    const { state, generation } = job.record;
    return { body: { rows: page.map(({ row }) => row), more: known.length > page.length, state, generation }, raw };
  }
}

const countsOf = (job: StandInJob) => ({ committed: job.rows.length, failed: 0, open: 0 });

/** All items stored of a job, as NDJSON. */
export const inputOf = ({ blocks }: StandInJob): string => Buffer.concat(blocks.map(({ bytes }) => bytes)).toString();
