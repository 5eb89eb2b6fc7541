import { Inject, Injectable } from '@nestjs/common';
import { Fault, type JobRecord, jobsUploading } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { frontLimits } from './config.js';

/** Which uploads run: those of this node, and on request those of another one. */
@Injectable()
export class RunningUploads {
  readonly #here = new Set<JobId>();

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  /** Runs `upload` as the upload of a job of this node. */
  async during<T>(job: JobId, upload: () => Promise<T>): Promise<T> {
    this.#here.add(job);
    try {
      return await upload();
    } finally {
      this.#here.delete(job);
    }
  }

  has(job: JobId): boolean {
    return this.#here.has(job);
  }

  /**
   * Whether nobody uploads a job any more: its node says so (it was restarted), or is not on the bus, so that nothing of it reaches the
   * store either. A node that is only slow to answer is left in peace.
   */
  async orphaned({ spec: { job, contact } }: JobRecord): Promise<boolean> {
    if (contact === this.context.node) return !this.has(job);
    const options = { node: contact, timeoutMs: frontLimits.uploadingTimeoutMs };
    try {
      return !(await this.context.bus.call(jobsUploading, { job }, options)).body.uploading;
    } catch (error) {
      return error instanceof Fault && error.code === 'SERVICE_UNAVAILABLE';
    }
  }
}
