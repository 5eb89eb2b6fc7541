import { listBlocks, loadJobs, loadParts, type JobRecord, type OpenPart } from '@das/contracts';
import type { LoadedJob } from '@das/jobs';
import type { JobId } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

/** What is stored of a job's input. */
interface StoredSize {
  readonly generation: number;
  /** Number of the last block counted. */
  readonly no: number;
  readonly items: number;
  readonly bytes: number;
}

/** Pages of one load; each bounded by the store. A runaway answer ends here instead of never. */
const pagesMax = 100_000;

/**
 * Reads jobs from the store for the leader. Memory: the open parts of the job that is read, beside what the leader keeps, about 0.7 kB for each
 * open part (bench/recovery.mjs); how many are open is bounded by what slots hold and what waits to be tried again.
 * @throws Fault when the store cannot be asked; nothing is changed.
 */
export class JobLoader {
  /** Stored input so far, for the mean size of an item; read once, then only what is new. */
  readonly #sizes = new Map<JobId, StoredSize>();

  constructor(private readonly bus: ServiceBus) {}

  /** Every unfinished job. */
  async all(): Promise<LoadedJob[]> {
    const jobs: LoadedJob[] = [];
    for (let page = 0; page < pagesMax; page += 1) {
      const after = jobs.at(-1)?.record.spec.job;
      const { body } = await this.bus.call(loadJobs, after === undefined ? {} : { after });
      jobs.push(...body.jobs);
      if (!body.more || body.jobs.length === 0) break;
    }
    return jobs;
  }

  async one(job: JobId): Promise<LoadedJob | undefined> {
    const { body } = await this.bus.call(loadJobs, { job });
    return body.jobs[0];
  }

  /** The job's open parts with their live attempts. */
  async parts({ record, counts }: LoadedJob): Promise<OpenPart[]> {
    const parts: OpenPart[] = [];
    if (counts.open === 0) return parts;
    for (let page = 0; page < pagesMax; page += 1) {
      const after = parts.at(-1)?.part;
      const request = {
        job: record.spec.job,
        generation: record.generation,
        ...(after === undefined ? {} : { after }),
      };
      const { body } = await this.bus.call(loadParts, request);
      parts.push(...body.parts);
      if (!body.more || body.parts.length === 0) break;
    }
    return parts;
  }

  /** Mean bytes of an item; 0 when nothing is stored (ranges) or the job is so small that it does not matter. */
  async bytesPerItem({ spec, generation, items }: JobRecord): Promise<number> {
    if (spec.input.kind === 'range' || spec.input.kind === 'none' || items < 2) return 0;
    const known = this.#sizes.get(spec.job);
    let size: StoredSize = known?.generation === generation ? known : { generation, no: -1, items: 0, bytes: 0 };
    for (let page = 0; page < pagesMax && size.items < items; page += 1) {
      const { body } = await this.bus.call(listBlocks, { job: spec.job, generation, after: size.no });
      for (const block of body.blocks) {
        size = { generation, no: block.no, items: block.to, bytes: size.bytes + block.bytes };
      }
      if (!body.more || body.blocks.length === 0) break;
    }
    this.#sizes.set(spec.job, size);
    return size.items === 0 ? 0 : size.bytes / size.items;
  }

  /** Forgets what it knows of all other jobs. */
  keepOnly(jobs: ReadonlySet<JobId>): void {
    for (const job of this.#sizes.keys()) if (!jobs.has(job)) this.#sizes.delete(job);
  }
}
