import type { ExecutorBeat, NodeStatus } from '@das/contracts';
import type { NodeId } from '@das/kernel';

/** A node not heard for this long is no longer told of (ms). */
export const beatAgeMsMax = 60_000;
/** Nodes kept; with more, the one not heard for longest goes. */
export const nodesMax = 1_024;

/** The newest heartbeat of every executor. `now` is monotonic (ms). */
export class NewestBeats {
  /** In the order they were heard, oldest first. */
  readonly #beats = new Map<NodeId, { readonly beat: ExecutorBeat; readonly at: number }>();

  heard(beat: ExecutorBeat, now: number): void {
    this.#beats.delete(beat.node);
    this.#beats.set(beat.node, { beat, at: now });
    this.#drop(now);
  }

  status(now: number): NodeStatus[] {
    this.#drop(now);
    const nodes = [...this.#beats.values()].map(({ beat, at }) => statusOf(beat, now - at));
    return nodes.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  #drop(now: number): void {
    for (const [node, { at }] of this.#beats) {
      if (now - at <= beatAgeMsMax && this.#beats.size <= nodesMax) return;
      this.#beats.delete(node);
    }
  }
}

function statusOf(beat: ExecutorBeat, agoMs: number): NodeStatus {
  const count = (phase: string): number => beat.held.filter((held) => held.phase === phase).length;
  const { node, slots, workers, rssBytes, draining, hold, sandbox, grouped } = beat;
  const load = { running: count('running'), queued: count('queued'), holding: count('holding') };
  return {
    node,
    slots,
    ...load,
    workers,
    rssBytes,
    draining,
    agoMs,
    ...(hold === undefined ? {} : { hold }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(grouped === undefined ? {} : { grouped }),
  };
}
