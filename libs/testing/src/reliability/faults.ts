import { type ServiceName, serviceNames } from '@das/platform';

/** `kill`: SIGKILL, and a start some time later. `pause`: SIGSTOP, SIGCONT later. `restart`: SIGTERM, and a start at once. */
export type Action = 'kill' | 'pause' | 'restart';
/** Which node, decided when the fault comes: `other` neither leads nor was the job submitted to it. */
export type Place = 'leader' | 'contact' | 'other';
/** What an executor starts: the process that runs a part, the one that forks those, the one that ends and cleans up after them. */
export type Helper = 'worker' | 'nursery' | 'warden';
export type ServerName = 'postgres' | 'nats';

/** What is hit. A node is the whole of its processes. */
export type Target =
  | { readonly on: 'node'; readonly place: Place }
  | { readonly on: 'service'; readonly service: ServiceName; readonly place: Place }
  | { readonly on: 'helper'; readonly helper: Helper; readonly place: Place }
  | { readonly on: 'server'; readonly server: ServerName };

/** One sort of fault: a row of the report. */
export interface FaultKind {
  readonly name: string;
  readonly action: Action;
  readonly target: Target;
}

/** How the processes of a node are laid out. */
export type Processes = 'single' | 'split';

const actions: readonly Action[] = ['kill', 'pause', 'restart'];
const placeNames = { leader: 'leader', contact: 'contact node', other: 'other node' } as const;

const nodeFaults = (['leader', 'contact', 'other'] as const).flatMap((place) =>
  actions.map((action) => ({ name: `${action} ${placeNames[place]}`, action, target: { on: 'node', place } as const })),
);

const serverFaults = (['postgres', 'nats'] as const).flatMap((server) =>
  actions.map((action) => ({
    name: `${action} ${server === 'nats' ? 'NATS' : 'Postgres'}`,
    action,
    target: { on: 'server', server } as const,
  })),
);

/** SIGTERM is no fault of its own for these: their executor sees an end like any other. */
const helperFaults = (['worker', 'nursery', 'warden'] as const).flatMap((helper) =>
  (['kill', 'pause'] as const).map((action) => ({
    name: `${action} ${helper}`,
    action,
    target: { on: 'helper', helper, place: 'other' } as const,
  })),
);

/** The services of the leader: the place where losing one costs most. */
const serviceFaults = serviceNames.flatMap((service) =>
  actions.map((action) => ({
    name: `${action} ${service} of the leader`,
    action,
    target: { on: 'service', service, place: 'leader' } as const,
  })),
);

/** Every sort of fault that a cluster of this layout can be given. */
export function faultKinds(processes: Processes): readonly FaultKind[] {
  const everywhere = [...nodeFaults, ...serverFaults, ...helperFaults];
  return processes === 'split' ? [...everywhere, ...serviceFaults] : everywhere;
}
