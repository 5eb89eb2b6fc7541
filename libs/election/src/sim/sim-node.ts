import type { NodeId } from '@das/kernel';
import type { ElectionEvent, OfficeState } from '../core/types.js';
import type { SimClock } from './sim-clock.js';
import type { SimDisk } from './sim-disk.js';

/** One machine, and the life of its process that runs now. The clock and the disk outlive it. */
export interface SimNode {
  readonly name: NodeId;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  life: number;
  state: OfficeState;
  up: boolean;
  paused: boolean;
  inbox: { readonly event: ElectionEvent; readonly life: number }[];
  splitter: { up: boolean; epoch: number };
}

/** The worst order after a pause: its own timers before what others said meanwhile. */
export function wokenInbox(node: SimNode): SimNode['inbox'] {
  const inbox = node.inbox.splice(0);
  return inbox.sort((a, b) => Number(b.event.kind === 'timer') - Number(a.event.kind === 'timer'));
}
