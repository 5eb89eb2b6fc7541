import { limits } from '@das/contracts';
import type { JobId } from '@das/kernel';
import { type HeldKey, judgeKey } from './submission-key.js';

const first = 'first' as JobId;
const second = 'second' as JobId;
const held: HeldKey = { job: first, state: 'running', digest: 'body', createdAt: 1_000 };

describe('a submission key', () => {
  it.each([
    ['is free when nobody has it', undefined, { job: second, digest: 'body' }, 0, 'free'],
    ['is free when its job is gone', { ...held, state: undefined }, { job: second, digest: 'body' }, 0, 'free'],
    ['stands for the job of the same body', held, { job: second, digest: 'body' }, 0, 'same'],
    ['whatever became of that job', { ...held, state: 'failed' }, { job: second, digest: 'body' }, 0, 'same'],
    ['refuses another body', held, { job: second, digest: 'other' }, 0, 'different'],
    ['cannot judge a body that is still coming', held, { job: second }, 0, 'unknown'],
    ['knows its own job, asked again', held, { job: first, digest: 'body' }, 0, 'own'],
    [
      'knows its own job while its input comes',
      { ...held, state: 'submitted', digest: undefined },
      { job: first },
      0,
      'own',
    ],
    [
      'makes others wait for an upload',
      { ...held, state: 'submitted', digest: undefined },
      { job: second },
      0,
      'uploading',
    ],
    [
      'makes known bodies wait too',
      { ...held, state: 'submitted', digest: undefined },
      { job: second, digest: 'x' },
      0,
      'uploading',
    ],
    [
      'is free when its upload was cancelled',
      { ...held, state: 'cancelled', digest: undefined },
      { job: second },
      0,
      'free',
    ],
    ['is kept to its last millisecond', held, { job: second, digest: 'other' }, limits.keyKeptMs - 1, 'different'],
    ['is free after its time', held, { job: second, digest: 'other' }, limits.keyKeptMs, 'free'],
    ['is its own job’s after its time too', held, { job: first, digest: 'body' }, limits.keyKeptMs, 'own'],
  ] as const)('%s', (_, stored, ask, later, verdict) => {
    expect(judgeKey(stored, ask, held.createdAt + later)).toBe(verdict);
  });
});
