import type { BodyOf, JobRecord, jobEnded as jobEndedAnnouncement, jobWake } from '@das/contracts';
import { jobEnded } from '@das/jobs';
import type { MemoryData } from '@das/jobs/memory';
import { store } from './bus.js';
import type { Cluster } from './cluster.js';
import type { SimNode } from './sim-node.js';
import type { Act } from './store.js';

export interface Announcer {
  ended(body: BodyOf<typeof jobEndedAnnouncement>): void;
  wake(body: BodyOf<typeof jobWake>): void;
}

/** Over the bus, to whatever runs on each machine when it arrives. */
export function announcerOf(cluster: Cluster): Announcer {
  const tell = (act: (node: SimNode) => void): void =>
    cluster.bus.tell(store, cluster.machines.values(), ({ name }) => act(cluster.node(name)));
  return {
    ended: (body) =>
      tell(({ splitter, executor }) => {
        splitter?.jobEnded(body);
        executor?.jobEnded(body);
      }),
    wake: (body) => tell(({ splitter }) => splitter?.jobWake(body)),
  };
}

/** What the results-store tells the cluster after a transaction: hints all. */
export function announce(act: Act, data: MemoryData, announcer: Announcer): void {
  switch (act.op) {
    case 'createJob':
      return created(act as Act<'createJob'>, announcer);
    case 'appendBlock': {
      const { request, reply } = act as Act<'appendBlock'>;
      if (reply?.outcome === 'stored' && request.attempt) announcer.wake({ job: request.job });
      return;
    }
    case 'sealJob': {
      const { request, reply } = act as Act<'sealJob'>;
      if (reply?.outcome === 'sealed') announcer.wake({ job: request.job });
      return;
    }
    case 'commitPart': {
      const { request, reply } = act as Act<'commitPart'>;
      if (reply?.ended === true) announcer.ended({ job: request.attempt.job, state: 'succeeded' });
      return afterSplit(act as Act<'commitPart'>, data, announcer);
    }
    case 'restartSplit':
      return afterSplit(act as Act<'restartSplit'>, data, announcer);
    case 'advanceJob': {
      const { request, reply } = act as Act<'advanceJob'>;
      if (reply?.outcome === 'advanced' && jobEnded(request.to))
        announcer.ended({ job: request.job, state: request.to });
      return;
    }
    case 'cancelJob': {
      const { request, reply } = act as Act<'cancelJob'>;
      if (reply?.outcome === 'cancelled' || reply?.outcome === 'alreadyCancelled')
        announcer.ended({ job: request.job, state: 'cancelled' });
      return;
    }
    default:
      return;
  }
}

/** A job that existed before may be well on its way. */
function created({ reply }: Act<'createJob'>, announcer: Announcer): void {
  if (reply === undefined || reply.job.state === 'submitted') return;
  const record: JobRecord = reply.job;
  announcer.wake({ job: record.spec.job, ...(reply.existed ? {} : { created: record }) });
}

function afterSplit(
  { op, request, reply }: Act<'restartSplit' | 'commitPart'>,
  data: MemoryData,
  announcer: Announcer,
): void {
  const { job, generation } = request.attempt;
  if (op === 'commitPart' && (request as Act<'commitPart'>['request']).sealed === undefined) return;
  if (reply?.outcome === 'committed' || reply?.outcome === 'alreadyCommitted') return announcer.wake({ job });
  const current = data.jobs.get(job)?.generation ?? generation;
  if (current <= generation) return;
  announcer.ended({ job, state: 'splitting', belowGeneration: current });
  announcer.wake({ job });
}
