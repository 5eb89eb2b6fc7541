import {
  type ReplyOf,
  type RequestOf,
  doubtBundle,
  findBundle,
  putBundleChunk,
  readBlob,
  sealBundle,
} from '@das/contracts';
import type { ResultStore } from '@das/jobs';
import { type Answer, Answers, type CallContext } from '@das/messaging';
import { Controller, Inject } from '@nestjs/common';
import { answerOf } from './input.controller.js';
import { RESULT_STORE } from './tokens.js';

/** What jobs run: scripts as blobs, bundles as several. */
@Controller()
export class CodeController {
  constructor(@Inject(RESULT_STORE) private readonly store: ResultStore) {}

  @Answers(readBlob)
  async readBlob(request: RequestOf<typeof readBlob>): Promise<Answer<ReplyOf<typeof readBlob>>> {
    return answerOf(await this.store.readBlob(request));
  }

  @Answers(findBundle)
  findBundle(request: RequestOf<typeof findBundle>): Promise<ReplyOf<typeof findBundle>> {
    return this.store.findBundle(request);
  }

  @Answers(putBundleChunk)
  putBundleChunk(
    request: RequestOf<typeof putBundleChunk>,
    { raw }: CallContext,
  ): Promise<ReplyOf<typeof putBundleChunk>> {
    return this.store.putBundleChunk(request, raw);
  }

  @Answers(sealBundle)
  sealBundle(request: RequestOf<typeof sealBundle>): Promise<ReplyOf<typeof sealBundle>> {
    return this.store.sealBundle(request);
  }

  @Answers(doubtBundle)
  doubtBundle(request: RequestOf<typeof doubtBundle>): Promise<ReplyOf<typeof doubtBundle>> {
    return this.store.doubtBundle(request);
  }
}
