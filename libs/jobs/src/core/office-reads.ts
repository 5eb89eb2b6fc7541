import type { JobAsk, LoadedJob, OfficeEffect, OfficeEvent, OfficeState, PartsAsk } from './office-types.js';

/* What an office reads from the store: all unfinished jobs every now and then, single ones when something about them does not fit. */

/** One poll at a time. */
export function poll(office: OfficeState): OfficeEffect[] {
  if (office.polling !== undefined) return [];
  office.polling = [];
  return [{ kind: 'readJobs', life: office.life }];
}

/** Jobs that are known here and not unfinished there are read one by one: they ended, or are gone. */
export function jobsRead(office: OfficeState, life: number, jobs: readonly LoadedJob[] | undefined): OfficeEffect[] {
  if (life !== office.life || office.polling === undefined) return [];
  if (jobs === undefined) {
    office.polling = undefined;
    return [];
  }
  const listed = new Set(jobs.map(({ record }) => record.spec.job));
  office.polling = [...jobs, ...[...office.assigner.jobs.keys()].filter((job) => !listed.has(job))];
  return nextOfPoll(office);
}

function nextOfPoll(office: OfficeState): OfficeEffect[] {
  const { polling, life } = office;
  for (let next = polling?.shift(); next !== undefined; next = polling?.shift()) {
    const effects: OfficeEffect[] =
      typeof next === 'string'
        ? [{ kind: 'readJob', ask: { life, job: next, polled: true } }]
        : takeIn(office, next, true);
    if (effects.length > 0) return effects;
  }
  office.polling = undefined;
  office.queue.push({ kind: 'allLoaded' });
  return [];
}

/** Parts are read only where they are unknown: of others the leader's own view is newer. Ended and unsealed jobs need no reading. */
function takeIn(office: OfficeState, loaded: LoadedJob, polled: boolean): OfficeEffect[] {
  const { record, counts } = loaded;
  if (record.state === 'submitted') return [];
  if (record.finishedAt !== undefined) {
    office.queue.push({ kind: 'jobLoaded', record, counts, parts: undefined, bytesPerItem: 0 });
    return [];
  }
  const known = office.assigner.jobs.get(record.spec.job);
  const wanted = known === undefined || known.reload !== undefined || known.record.generation < record.generation;
  return [{ kind: 'readParts', ask: { life: office.life, loaded, polled, wanted } }];
}

export function jobRead(office: OfficeState, ask: JobAsk, found: LoadedJob | undefined): OfficeEffect[] {
  if (ask.life !== office.life) return [];
  if (found === undefined) office.queue.push({ kind: 'jobGone', job: ask.job });
  const effects = found === undefined ? [] : takeIn(office, found, ask.polled);
  return effects.length > 0 ? effects : goOn(office, ask.polled);
}

export function partsRead(
  office: OfficeState,
  { ask, parts, bytesPerItem }: Extract<OfficeEvent, { kind: 'partsRead' }>,
): OfficeEffect[] {
  if (ask.life !== office.life) return [];
  const { record, counts } = ask.loaded;
  office.queue.push({ kind: 'jobLoaded', record, counts, parts, bytesPerItem });
  return goOn(office, ask.polled);
}

/** A poll that could not read something has not read everything; the next one will. */
export function readFailed(office: OfficeState, { life, polled }: JobAsk | PartsAsk): OfficeEffect[] {
  if (life === office.life && polled) office.polling = undefined;
  return [];
}

const goOn = (office: OfficeState, polled: boolean): OfficeEffect[] => (polled ? nextOfPoll(office) : []);
