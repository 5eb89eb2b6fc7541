import { type JobFacts, type StoredPart, freshPart, partOpen } from '@das/jobs';
import type { MemoryJob, MemoryWorld } from '@das/jobs/memory';
import * as directed from './directed-store.js';
import type { Mutant } from './mutants.js';
import type { Ask, Operations } from './store.js';
import type { Weakening } from './weakening.js';

type Wrap<K extends keyof Operations> = (
  real: Operations[K],
  ...args: Parameters<Operations[K]>
) => ReturnType<Operations[K]>;

/** Replaces one operation. */
const instead = <K extends keyof Operations>(op: K, wrap: Wrap<K>): Weakening => ({
  operations: (real) => ({
    ...real,
    [op]: (...args: Parameters<Operations[K]>) => wrap(real[op], ...args),
  }),
});

type CommitRequest = Ask<'commitPart'>;
const partOf = (world: MemoryWorld, { attempt }: CommitRequest): [MemoryJob | undefined, StoredPart | undefined] => {
  const job = world.data.jobs.get(attempt.job);
  return [job, job?.parts.get(attempt.part)];
};

/** Before a commit its part is made as the commit would like it to be. */
const befriended = (wanted: (part: StoredPart, state: string | undefined) => boolean): Weakening =>
  instead('commitPart', (real, world, request, raw) => {
    const [job, part] = partOf(world, request);
    const { attempt: number, generation } = request.attempt;
    const attempt = part?.attempts.find((a) => a.attempt === number);
    if (job !== undefined && part !== undefined && generation === job.generation && wanted(part, attempt?.state)) {
      const others = part.attempts.filter((a) => a !== attempt);
      const own = { node: request.node, term: 1, startedAt: 0, ...attempt, attempt: number, state: 'live' as const };
      job.parts.set(part.part, { ...part, state: 'assigned', attempts: [...others, own] });
    }
    return real(world, request, raw);
  });

/** While the rules look at a job, it is in another state. */
function pretending<R>(job: MemoryJob | undefined, facts: Partial<JobFacts>, act: () => R): R {
  if (job === undefined) return act();
  const before = { state: job.state, finishedAt: job.finishedAt };
  Object.assign(job, facts);
  const pretended = job.state;
  const reply = act();
  if (job.state === pretended) Object.assign(job, before);
  return reply;
}
const over = (job: MemoryJob | undefined): boolean => job?.finishedAt !== undefined;

export const storeMutants: Readonly<Record<string, Mutant>> = {
  'a save needs no current term': {
    weaken: instead('saveActs', (real, world, request, raw) =>
      real(world, { ...request, act: { ...request.act, term: world.data.term } }, raw),
    ),
    seedsMax: 40,
  },
  'moving a job on needs no current term': {
    weaken: instead('advanceJob', (real, world, request, raw) =>
      real(world, { ...request, act: { ...request.act, term: world.data.term } }, raw),
    ),
    seedsMax: 0,
    directed: directed.advanceOfALowerTerm,
  },
  'a claim is granted whatever the term is': {
    weaken: instead('claimTerm', (real, world, request, raw) => {
      const { reply } = real(world, request, raw);
      return { reply: { ...reply, granted: true }, raw };
    }),
    seedsMax: 100,
  },
  'an attempt that was ended may commit': {
    weaken: befriended((part, state) => partOpen(part) && state !== 'live'),
    seedsMax: 0,
    directed: directed.endedAttemptCommits,
  },
  'a part may be committed again': { weaken: befriended((part) => !partOpen(part)), seedsMax: 40 },
  'parts of an ended job may be committed': {
    weaken: instead('commitPart', (real, world, request, raw) => {
      const [job, part] = partOf(world, request);
      if (!over(job) || part?.state !== 'cancelled') return real(world, request, raw);
      job?.parts.set(part.part, { ...part, state: 'assigned' });
      return pretending(job, { state: 'running' }, () => real(world, request, raw));
    }),
    seedsMax: 100,
  },
  'a commit of an earlier generation counts': {
    weaken: instead('commitPart', (real, world, request, raw) => {
      const generation = world.data.jobs.get(request.attempt.job)?.generation ?? 1;
      return real(world, { ...request, attempt: { ...request.attempt, generation } }, raw);
    }),
    seedsMax: 0,
    directed: directed.commitOfAnEarlierGeneration,
  },
  'a commit that happened is called stale when it is asked again': {
    weaken: instead('commitPart', (real, world, request, raw) => {
      const answer = real(world, request, raw);
      const { outcome } = answer.reply;
      return outcome === 'alreadyCommitted'
        ? { ...answer, reply: { ...answer.reply, outcome: 'staleAttempt' } }
        : answer;
    }),
    seedsMax: 40,
  },
  'a job may move on with open parts': {
    weaken: instead('advanceJob', (real, world, request, raw) => {
      const job = world.data.jobs.get(request.job);
      if (job === undefined) return real(world, request, raw);
      const open = [...job.parts.values()].filter(partOpen);
      for (const { part } of open) job.parts.delete(part);
      const answer = real(world, { ...request, failed: undefined }, raw);
      for (const part of open) if (!job.parts.has(part.part)) job.parts.set(part.part, part);
      return answer;
    }),
    seedsMax: 60,
    directed: directed.openPartsAreLeft,
  },
  'a job may move on before its input is complete': {
    weaken: instead('advanceJob', (real, world, request, raw) => {
      const job = world.data.jobs.get(request.job);
      if (job === undefined) return real(world, request, raw);
      const { sealed, items } = job;
      Object.assign(job, { sealed: true, items: job.cut });
      const answer = real(world, request, raw);
      if (job.finishedAt === undefined || sealed) Object.assign(job, { sealed, items });
      return answer;
    }),
    seedsMax: 0,
    directed: directed.inputIsNotComplete,
  },
  'a commit ends its job whatever is left of it': {
    weaken: instead('commitPart', (real, world, request, raw) => {
      const answer = real(world, request, raw);
      const job = world.data.jobs.get(request.attempt.job);
      if (answer.reply.outcome !== 'committed' || job === undefined) return answer;
      Object.assign(job, { state: 'succeeded', finishedAt: job.createdAt });
      return { ...answer, reply: { ...answer.reply, ended: true } };
    }),
    seedsMax: 40,
  },
  'a job that ended may be moved on': {
    weaken: instead('advanceJob', (real, world, request, raw) => {
      const job = world.data.jobs.get(request.job);
      if (!over(job)) return real(world, request, raw);
      return pretending(job, { state: 'running' }, () => real(world, request, raw));
    }),
    seedsMax: 0,
    directed: directed.endedJobMovesOn,
  },
  'new parts need not continue the partition': {
    weaken: instead('saveActs', (real, world, request, raw) => {
      const answer = real(world, request, raw);
      if (answer.reply.outcome !== 'saved') return answer;
      for (const { job: id, part, kind, from, to, tries } of request.parts) {
        const job = world.data.jobs.get(id);
        if (job !== undefined && !over(job) && !job.parts.has(part))
          job.parts.set(part, freshPart(kind, from, to, tries));
      }
      return answer;
    }),
    seedsMax: 0,
    directed: directed.partsDoNotContinue,
  },
  'another split goes on under the same generation': {
    weaken: instead('appendBlock', (real, world, request, raw) => {
      const answer = real(world, request, raw);
      return answer.reply.outcome === 'different' ? { ...answer, reply: { outcome: 'same' } } : answer;
    }),
    seedsMax: 0,
    directed: directed.splitYieldsOthers,
  },
};
