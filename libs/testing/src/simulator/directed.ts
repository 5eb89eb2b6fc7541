import type { Assignment, JobRecord, JobSpec } from '@das/contracts';
import { newExecutor, step as executorStep } from '@das/execution';
import {
  type OfficeEffect,
  type OfficeEvent,
  type OfficeState,
  defaultAssignerConfig,
  hearCoordinator,
  newLeadership,
  officeStep,
  openOffice,
} from '@das/jobs';
import { seeded } from '@das/election/sim';
import { type PartId, nodeId } from '@das/kernel';
import type { Weakening } from './weakening.js';
import { drawJob } from './workload.js';

/** One scenario that storms meet too seldom. Throws iff the protection that it is about is missing. */
export type Directed = (weaken: Weakening) => void;

export const expectThat = (holds: boolean, text: string): void => {
  if (!holds) throw new Error(text);
};
const node = nodeId('n1');

/** Some job over ten integers. */
export function someSpec(change: Partial<JobSpec> = {}): JobSpec {
  const { spec } = drawJob(seeded(1), 'j1', node, 0);
  const functions = { split: false, map: true, combine: false, reduce: false, gather: false, main: false };
  const limits = { retries: 2, tolerate: { items: 0 }, priority: 100, buckets: 4, itemsPerPart: 5 };
  return { ...spec, functions, limits, input: { kind: 'range', from: 0, to: 10 }, ...change };
}
const record = (change: Partial<JobRecord> = {}): JobRecord => ({
  ...{ spec: someSpec(), state: 'running', generation: 1, sealed: true, items: 10, cut: 0, createdAt: 0 },
  ...change,
});
const counts = { committed: 0, failed: 0, open: 0 };

/** An office fed by hand. */
class Desk {
  readonly office: OfficeState = openOffice(3, node, defaultAssignerConfig, Number.POSITIVE_INFINITY, 0);
  readonly #step;

  constructor(weaken: Weakening) {
    this.#step = weaken.office?.(officeStep) ?? officeStep;
  }
  do(event: OfficeEvent, now = 0): OfficeEffect[] {
    return this.#step(this.office, event, now);
  }
  job(change: Partial<JobRecord> = {}): OfficeEffect[] {
    return this.do({ kind: 'heard', event: { kind: 'jobCreated', record: record(change) } });
  }
  /** `shows`: it holds what it is thought to hold. */
  beat(now = 0, shows = false): OfficeEffect[] {
    const live = [...(this.office.assigner.nodes.get(node)?.live.values() ?? [])];
    const held = shows ? live.map(({ ref }) => ({ ...ref, phase: 'running' as const, items: 0, runningMs: 0 })) : [];
    const beat = { node, epoch: 'e', slots: 2, draining: false, held, rssBytes: 0, workers: 2 };
    return this.do({ kind: 'heard', event: { kind: 'beat', beat } }, now);
  }
  /** A job whose first batch is being saved. */
  saving(): number {
    this.job();
    const save = this.beat().find((effect) => effect.kind === 'save');
    return save?.request.act.actSeq ?? 0;
  }
  saved(actSeq: number, now = 0): OfficeEffect[] {
    return this.do({ kind: 'saved', actSeq, reply: { outcome: 'saved', term: 3, stale: [] } }, now);
  }
}
const has = (effects: readonly OfficeEffect[], kind: OfficeEffect['kind']): boolean =>
  effects.some((effect) => effect.kind === kind);

export const saveIsNotAnswered: Directed = (weaken) => {
  const desk = new Desk(weaken);
  const effects = desk.do({ kind: 'saved', actSeq: desk.saving(), reply: undefined });
  expectThat(!has(effects, 'send') && has(effects, 'wait'), 'what may not be saved was sent');
};

export const unsavedAttemptIsMissed: Directed = (weaken) => {
  const desk = new Desk(weaken);
  desk.saved(desk.saving());
  desk.do({ kind: 'heard', event: { kind: 'stale', jobs: [someSpec().job] } });
  expectThat(!has(desk.beat(2_000), 'send'), 'what is believed of a job that is being read again was sent');
};

export const beatsWaitForTheSave: Directed = (weaken) => {
  const desk = new Desk(weaken);
  const actSeq = desk.saving();
  for (const now of [1_600, 2_600, 3_600]) desk.beat(now);
  const sends = desk.saved(actSeq, 4_000).filter((effect) => effect.kind === 'send');
  const sent = sends.flatMap(({ request }) => request.assignments);
  expectThat(sent.length === 2, `${sent.length} assignments are sent instead of 2: nobody could have shown them yet`);
};

export const answerOfAnEarlierLife: Directed = (weaken) => {
  const desk = new Desk(weaken);
  desk.do({ kind: 'poll' });
  desk.do({ kind: 'broke' });
  desk.do({ kind: 'poll' });
  const effects = desk.do({ kind: 'jobsRead', life: 0, jobs: [{ record: record(), counts }] });
  expectThat(effects.length === 0, 'what was read before a reset is taken in after it');
};

export const termIsOver: Directed = (weaken) => {
  const desk = new Desk(weaken);
  const reply = { outcome: 'staleTerm' as const, term: 4, stale: [] };
  expectThat(has(desk.do({ kind: 'saved', actSeq: desk.saving(), reply }), 'over'), 'a term that is over goes on');
};

export const leaderIsDeaf: Directed = (weaken) => {
  const desk = new Desk(weaken);
  desk.saved(desk.saving());
  for (let now = 500; now <= 3_500; now += 500) desk.beat(now, true);
  desk.do({ kind: 'heard', event: { kind: 'connection', up: false } }, 3_600);
  for (let now = 4_000; now <= 9_000; now += 500) {
    const effects = desk.do({ kind: 'heard', event: { kind: 'tick' } }, now);
    const judged = effects.some((effect) => effect.kind === 'save' && effect.request.ended.length > 0);
    expectThat(!judged, 'a leader that hears nobody takes others for dead');
  }
};

export const newsIsLost: Directed = (weaken) => {
  const desk = new Desk(weaken);
  desk.do({ kind: 'poll' });
  desk.do({ kind: 'jobsRead', life: 0, jobs: [] });
  expectThat(has(desk.do({ kind: 'poll' }), 'readJobs'), 'what no message told is never found');
};

export const advanceIsNotAnswered: Directed = (weaken) => {
  const desk = new Desk(weaken);
  const advance = desk.job({ items: 0 }).find((effect) => effect.kind === 'advance');
  if (advance === undefined) throw new Error('an empty job is not moved on');
  const effects = desk.do({ kind: 'advanceAnswered', life: advance.life, request: advance.request, reply: undefined });
  expectThat(has(effects, 'readJob'), 'a job that may not have been moved on is left alone');
};

export const finishedInAnEarlierGeneration: Directed = (weaken) => {
  const desk = new Desk(weaken);
  desk.job({ generation: 2 });
  const save = desk.beat().find((effect) => effect.kind === 'save');
  const [attempt] = save?.request.attempts ?? [];
  if (save === undefined || attempt === undefined) throw new Error('nothing is assigned');
  desk.saved(save.request.act.actSeq);
  const about = {
    kind: 'map' as const,
    node,
    outcome: 'committed' as const,
    items: 5,
    busyMs: 1,
    children: [],
    failed: [],
  };
  const finished = { attempt: { ...attempt, generation: 1 }, ...about };
  desk.do({ kind: 'heard', event: { kind: 'attemptFinished', finished } });
  const parts = desk.office.assigner.jobs.get(attempt.job)?.parts;
  expectThat(parts?.has(attempt.part) === true, 'a part counts as done that another generation did');
};

export const termOfAnEarlierInstance: Directed = (weaken) => {
  const step = weaken.coordinator?.(hearCoordinator) ?? hearCoordinator;
  const message = { leader: node, term: 2, resigned: false, trustMs: 3_000, epoch: 'before' };
  const { effects } = step(newLeadership(node, 'now'), message, 0);
  expectThat(effects.length === 0, 'an instance acts in the term of the one before');
};

const assignment: Assignment = {
  ...{ job: someSpec().job, generation: 1, part: 'map:0-5' as PartId, attempt: 1 },
  ...{ kind: 'map', from: 0, to: 5, tries: 0 },
};
const assigned = (term: number) => ({ kind: 'assigned' as const, term, assignments: [assignment] });

export const lowerTermAfterARestart: Directed = (weaken) => {
  const step = weaken.executor?.(executorStep) ?? executorStep;
  const kept = weaken.keptTerm?.(5) ?? 5;
  expectThat(step(newExecutor(2, kept), assigned(4)).verdict === 'staleTerm', 'a lower term is obeyed');
};

export const endIsAskedAgain: Directed = (weaken) => {
  const step = weaken.executor?.(executorStep) ?? executorStep;
  let { state } = step(newExecutor(2, 0), assigned(1));
  const [key = ''] = state.attempts.keys();
  for (const kind of ['ran', 'settled'] as const) ({ state } = step(state, { kind, key }));
  const { effects } = step(state, assigned(1));
  expectThat(
    effects.some(({ kind }) => kind === 'repeatEnd'),
    'a lost end is never told',
  );
};

export const jobEnds: Directed = (weaken) => {
  const step = weaken.executor?.(executorStep) ?? executorStep;
  const { state } = step(newExecutor(2, 0), assigned(1));
  const { effects } = step(state, { kind: 'jobEnded', job: assignment.job });
  expectThat(
    effects.some(({ kind }) => kind === 'stop'),
    'what an ended job runs goes on',
  );
};
