import type { OfficeEffect, OfficeEvent, OfficeState } from '@das/jobs';
import * as directed from './directed.js';
import type { Mutant } from './mutants.js';
import type { OfficeStep, Weakening } from './weakening.js';

/** Changes what an office hears, or what it knows, before each step. */
const before = (change: (office: OfficeState, event: OfficeEvent, now: number) => OfficeEvent): Weakening => ({
  office: (real) => (office, event, now) => real(office, change(office, event, now), now),
});

/** What follows a save is done without waiting for it; its answer comes too late for anything. */
const sendsBeforeSaves: Weakening = {
  office: (real) => {
    const hasty: OfficeStep = (office, event, now) => {
      const effects: OfficeEffect[] = [];
      for (const effect of real(office, event, now)) {
        effects.push(effect);
        if (effect.kind !== 'save') continue;
        const reply = { outcome: 'saved' as const, term: office.term, stale: [] };
        const early = hasty(office, { kind: 'saved', actSeq: effect.request.act.actSeq, reply }, now);
        effects.unshift(...early);
      }
      return effects;
    };
    return hasty;
  },
};

/** As if the node held exactly what the leader thinks it does. */
function flattering(office: OfficeState, event: OfficeEvent): OfficeEvent {
  if (event.kind !== 'heard' || event.event.kind !== 'beat') return event;
  const { beat } = event.event;
  const live = [...(office.assigner.nodes.get(beat.node)?.live.values() ?? [])];
  const held = live.map(({ ref }) => ({ ...ref, phase: 'running' as const, items: 0, runningMs: 0 }));
  return { kind: 'heard', event: { kind: 'beat', beat: { ...beat, held } } };
}

export const officeMutants: Readonly<Record<string, Mutant>> = {
  'what is sent need not be saved before': { weaken: sendsBeforeSaves, seedsMax: 20 },
  'a save without an answer is taken for done': {
    weaken: before((office, event) =>
      event.kind === 'saved' && event.reply === undefined
        ? { ...event, reply: { outcome: 'saved', term: office.term, stale: [] } }
        : event,
    ),
    seedsMax: 0,
    directed: directed.saveIsNotAnswered,
  },
  'what the store left out is sent all the same': {
    weaken: before((_, event) =>
      event.kind === 'saved' && event.reply !== undefined ? { ...event, reply: { ...event.reply, stale: [] } } : event,
    ),
    seedsMax: 60,
  },
  'beats are not compared with what is assigned': { weaken: before(flattering), seedsMax: 40 },
  'the deaf judge': {
    weaken: before((office, event, now) => {
      Object.assign(office.assigner, { deafUntil: Number.NEGATIVE_INFINITY, connected: true, lastTick: now });
      return event;
    }),
    seedsMax: 20,
    directed: directed.leaderIsDeaf,
  },
  'what is believed of a job that is being read again is sent': {
    weaken: before((office, event) => {
      const beats = event.kind === 'heard' && event.event.kind === 'beat';
      for (const job of beats ? office.assigner.jobs.values() : []) job.reload = undefined;
      return event;
    }),
    seedsMax: 0,
    directed: directed.unsavedAttemptIsMissed,
  },
  'beats that were heard while a batch was being saved count against it': {
    weaken: {
      office: (real) => (office, event, now) => {
        if (event.kind !== 'saved' || office.saving === undefined) return real(office, event, now);
        const live = [...office.assigner.nodes.values()].flatMap((node) => [...node.live.values()]);
        const sentAt = new Map(live.map((attempt) => [attempt, attempt.sentAt]));
        const { queue } = office;
        office.queue = [];
        const effects = real(office, event, now);
        for (const [attempt, at] of sentAt) attempt.sentAt = at;
        office.queue = [...office.queue, ...queue];
        return [...effects, ...real(office, { kind: 'trusted', until: office.trustedUntil }, now)];
      },
    },
    seedsMax: 0,
    directed: directed.beatsWaitForTheSave,
  },
  'lost news is never asked for': {
    weaken: {
      office: (real) => (office, event, now) =>
        event.kind === 'poll' && office.assigner.allLoaded ? [] : real(office, event, now),
    },
    seedsMax: 0,
    directed: directed.newsIsLost,
  },
  'a job that could not be moved on is not tried again': {
    weaken: {
      office: (real) => (office, event, now) =>
        event.kind === 'advanceAnswered' && event.reply === undefined ? [] : real(office, event, now),
    },
    seedsMax: 0,
    directed: directed.advanceIsNotAnswered,
  },
  'answers of an earlier life are taken in': {
    weaken: before((office, event) => {
      if (event.kind === 'jobsRead' || event.kind === 'advanceAnswered') return { ...event, life: office.life };
      if (event.kind === 'partsRead') return { ...event, ask: { ...event.ask, life: office.life } };
      if (event.kind === 'jobRead') return { ...event, ask: { ...event.ask, life: office.life } };
      return event;
    }),
    seedsMax: 0,
    directed: directed.answerOfAnEarlierLife,
  },
  'an office goes on after the store said that its term is over': {
    weaken: {
      office: (real) => (office, event, now) => real(office, event, now).filter(({ kind }) => kind !== 'over'),
    },
    seedsMax: 0,
    directed: directed.termIsOver,
  },
  'finished attempts of an earlier generation count': {
    weaken: before((office, event) => {
      if (event.kind !== 'heard' || event.event.kind !== 'attemptFinished') return event;
      const { finished } = event.event;
      const generation = office.assigner.jobs.get(finished.attempt.job)?.record.generation ?? 1;
      const attempt = { ...finished.attempt, generation };
      return { kind: 'heard', event: { kind: 'attemptFinished', finished: { ...finished, attempt } } };
    }),
    seedsMax: 0,
    directed: directed.finishedInAnEarlierGeneration,
  },
  'a term of an earlier instance is taken over': {
    weaken: { coordinator: (real) => (state, message, now) => real(state, { ...message, epoch: state.epoch }, now) },
    seedsMax: 0,
    directed: directed.termOfAnEarlierInstance,
  },
};
