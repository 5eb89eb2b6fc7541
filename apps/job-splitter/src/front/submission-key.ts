import { createHash } from 'node:crypto';
import { Fault, type Submission, type SubmissionKey, submissionKeyPattern } from '@das/contracts';

/**
 * Whose keys they are: every client shows the cluster's one token, over REST and NATS alike. A token with a name of its own will be an
 * owner of its own.
 */
const owner = 'cluster';

/** @throws Fault REQUEST_INVALID. As a structured field it comes quoted; the quotes are not part of it. */
export function parseKey(text: string): string {
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (submissionKeyPattern.test(key)) return key;
  throw new Fault('REQUEST_INVALID', 'the Idempotency-Key is not valid', {
    field: 'Idempotency-Key',
    expected: '1 to 255 visible ASCII characters',
    hint: 'make a random one for each submission, such as a UUID, and send the same one when you try again',
  });
}

/** Leads the digest, so that another way of making it one day gives other ones. */
const recipe = 'das-submission-1';

/**
 * A key, and the digest of the body it came with: everything the client says of the job. Not of what changes between two tries: boundaries,
 * ids, traces, the node.
 */
export class KeyedBody {
  readonly #hash = createHash('sha256');

  constructor(
    private readonly key: string,
    { code: { text, ...code }, input, ...rest }: Submission,
  ) {
    const format = input !== undefined && 'items' in input ? { items: true } : input;
    this.#hash.update(JSON.stringify([recipe, { ...rest, code, input: format }]));
    this.#hash.update(
      `\n${createHash('sha256')
        .update(text ?? '')
        .digest('hex')}\n`,
    );
  }

  /** Items in their order, each line ended: how they were cut and sent does not matter. */
  items(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  /** While items are still coming. */
  begun(): SubmissionKey {
    return { owner, key: this.key };
  }

  /** With the digest of all that came. */
  whole(): SubmissionKey & { digest: string } {
    return { owner, key: this.key, digest: this.#hash.copy().digest('hex') };
  }
}

/** Another submission has the key. */
export const keyReused = (job: string): Fault =>
  new Fault(
    'IDEMPOTENCY_KEY_REUSED',
    `the Idempotency-Key stands for job ${job}, which was submitted with another body`,
    {
      field: 'Idempotency-Key',
      hint: 'send a key of its own with each submission; the same one only to try the same submission again',
    },
  );

/** The first submission with this key is not there whole. */
export const keyInUse = (job: string, node: string): Fault =>
  new Fault(
    'IDEMPOTENCY_KEY_IN_USE',
    `${node} is still receiving the input of job ${job}, which has this Idempotency-Key`,
    {
      field: 'Idempotency-Key',
      hint: 'try again a little later; if that upload breaks off, the key is free',
    },
  );
