import { Inject, Injectable } from '@nestjs/common';
import {
  Fault,
  type JobRecord,
  type JobSpec,
  type Submission,
  clusterStatus,
  jobIdSchema,
  limits,
} from '@das/contracts';
import type { JobId } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext, currentTraceparent, withSpan } from '@das/platform';
import { type Block, BlockBuilder } from './block-builder.js';
import { cutUpload, itemTooLarge } from './blocks.js';
import { nameOf } from './command.js';
import { CodeBundles, type StoredBundle } from './code-bundles.js';
import { Metrics } from './metrics.js';
import { Scripts, digestOf } from './scripts.js';
import { KeyedBody, parseKey } from './submission-key.js';
import {
  type Checked,
  type CheckedCode,
  type JobPlan,
  defaultBuckets,
  parseSubmission,
  planJob,
} from './submission.js';
import { type InputBlocks, Uploads } from './uploads.js';

export interface SubmitOptions {
  /** Id made beforehand by {@link Submitter.newJobId}, so that the caller can listen before the job exists. */
  readonly job: JobId;
  /** Bytes of the input, for `input: {format}`. */
  readonly upload?: AsyncIterable<Uint8Array> | undefined;
  /** The code, when it is sent as an archive. */
  readonly archive?: Uint8Array | undefined;
  /** Of the caller; the job's trace continues it. */
  readonly traceparent?: string | undefined;
  /** Idempotency-Key: the same again is the same job. */
  readonly key?: string | undefined;
}

/** What a job runs, as its spec has it. */
type JobCode = Pick<JobSpec, 'language' | 'filename' | 'code' | 'bundle'>;

/** W3C trace context; anything else of a client is ignored, as the standard asks. */
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Accepts jobs: checks them whole before anything is stored, stores them (the store wakes the leader). REST and NATS share it. */
@Injectable()
export class Submitter {
  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(Scripts) private readonly scripts: Scripts,
    @Inject(CodeBundles) private readonly bundles: CodeBundles,
    @Inject(Uploads) private readonly uploads: Uploads,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  /** `j-` and ten characters of `[a-z0-9]`: about 50 random bits, easy to read out. */
  newJobId(): JobId {
    let letters = '';
    while (letters.length < 10)
      letters += this.context
        .newId()
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, '');
    return jobIdSchema.parse(`j-${letters.slice(0, 10)}`);
  }

  /**
   * Gives the new job, or with a key the one that was submitted with it before.
   * @throws Fault of the 4xx kind naming what is wrong, nothing stored; STORE_UNAVAILABLE and kin: submit again.
   */
  submit(value: unknown, options: SubmitOptions): Promise<JobRecord> {
    const traceparent = traceparentPattern.test(options.traceparent ?? '') ? options.traceparent : undefined;
    const span = { traceparent, attributes: { 'das.job': options.job } };
    return withSpan('job.submit', span, async () => {
      const submission = parseSubmission(value, options.archive !== undefined);
      const record = await this.create(submission, { ...options, traceparent: currentTraceparent() ?? traceparent });
      if (record.spec.job === options.job) this.metrics.count('das_jobs_submitted_total');
      return record;
    });
  }

  private async create(given: Checked, options: SubmitOptions): Promise<JobRecord> {
    const bundle = await this.bundle(given.code, options.archive);
    // A bundle is the same submission whether it was sent along or named.
    const submission = bundle ? { ...given, code: bundled(given.code, bundle.digest) } : given;
    const { functions: defined, entry, language } = await this.scripts.inspect(submission);
    const known = { ...submission, code: { ...submission.code, language, filename: entry } };
    const plan = planJob(known, defined, defined.reduce ? await this.buckets() : 1);
    const code: JobCode = bundle
      ? { language, filename: entry, code: bundle.digest, bundle: { files: bundle.files, bytes: bundle.bytes } }
      : { language, filename: entry, code: digestOf(submission.code.text) };
    const keyed = options.key === undefined ? undefined : new KeyedBody(parseKey(options.key), submission);
    const spec = this.spec(submission, code, plan, options);
    const job = { spec, codeText: submission.code.text, keyed };
    if (plan.blocks) return this.uploads.createWithBlocks(job, blocksOf(submission.input, options.upload));
    if (options.upload !== undefined)
      throw new Fault('INPUT_UNEXPECTED', 'the items come from elsewhere, yet a part `input` was sent', {
        field: 'input',
      });
    return this.uploads.createPlain(job, knownItems(plan));
  }

  private async bundle({ bundle }: CheckedCode, archive: Uint8Array | undefined): Promise<StoredBundle | undefined> {
    if (archive !== undefined) return this.bundles.accept(archive);
    return bundle === undefined ? undefined : this.bundles.find(bundle);
  }

  private spec(submission: Checked, stored: JobCode, plan: JobPlan, { job, traceparent }: SubmitOptions): JobSpec {
    const { code, command, name, params, network, venv } = submission;
    return {
      job,
      name: name ?? nameOf(code),
      ...stored,
      ...(command === undefined ? {} : { command }),
      functions: plan.functions,
      input: plan.input,
      params,
      limits: plan.limits,
      contact: this.context.node,
      network: network ?? false,
      ...(venv === undefined ? {} : { venv }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
  }

  /** Slots known now decide; a cluster that cannot tell them gets the schema's default. */
  private async buckets(): Promise<number> {
    try {
      const { body } = await this.context.bus.call(clusterStatus, {}, { timeoutMs: 500 });
      return defaultBuckets(body.nodes.reduce((sum, { slots }) => sum + slots, 0));
    } catch {
      return defaultBuckets(4);
    }
  }
}

/** In one order, for the digest of the submission. */
const bundled = ({ language, filename, text, entry }: CheckedCode, bundle: string): CheckedCode => ({
  ...{ language, filename, text, bundle },
  ...(entry !== undefined && { entry }),
});

function knownItems({ input }: JobPlan): number | undefined {
  if (input.kind === 'range') return input.to - input.from;
  return input.kind === 'none' ? 0 : undefined;
}

function blocksOf(input: Submission['input'], upload: AsyncIterable<Uint8Array> | undefined): InputBlocks {
  if (input !== undefined && 'items' in input) {
    if (upload !== undefined)
      throw new Fault('INPUT_UNEXPECTED', 'items were sent twice: in the submission and as the part `input`', {
        field: 'input',
      });
    return inlineBlocks(input.items);
  }
  if (upload === undefined || input === undefined || !('format' in input)) {
    throw new Fault('INPUT_MISSING', 'the part `input` is missing', {
      field: 'input',
      expected: 'a multipart request with the parts spec, code and input',
      hint: 'or send a few items inline as {"input":{"items":[…]}}',
    });
  }
  return cutUpload(input.format, upload);
}

function* inlineBlocks(items: readonly unknown[]): Iterable<readonly Block[]> {
  const builder = new BlockBuilder();
  const encoder = new TextEncoder();
  for (const [number, item] of items.entries()) {
    const bytes = encoder.encode(JSON.stringify(item));
    if (bytes.length > limits.itemBytesMax) throw itemTooLarge(`item ${number} of the input`);
    const complete = builder.add(bytes);
    if (complete.length > 0) yield complete;
  }
  yield builder.flush();
}
