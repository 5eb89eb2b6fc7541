import type { NodeId } from '@das/kernel';
import type { BullyState } from '../core/types.js';
import { defaultTimings } from '../core/types.js';
import type { VirtualTime } from './virtual-time.js';

/** Watches a run and fails it at once when a promise is broken. It trusts nothing that the nodes believe. */
export class Judge {
  readonly #leaders = new Map<number, NodeId>();
  readonly #acted = new Map<number, NodeId>();
  readonly #confirmedAt = new Map<string, number>();
  #granted = 0;
  readonly steppedUpAt: { readonly at: number; readonly node: NodeId; readonly term: number }[] = [];
  readonly defects: string[] = [];

  constructor(
    readonly label: string,
    readonly time: VirtualTime,
  ) {}

  #fail(text: string): never {
    throw new Error(`${this.label}, ${this.time.now} ms: ${text}`);
  }

  granted(term: number, node: NodeId): void {
    if (term <= this.#granted) this.#fail(`the store granted ${term} after ${this.#granted}`);
    this.#granted = term;
    this.#leaders.set(term, node);
  }

  /** The store said that the node holds the term; the lease runs from the start of the request. */
  confirmed(node: NodeId, term: number, startedAt: number): void {
    const key = `${node}:${term}`;
    this.#confirmedAt.set(key, Math.max(startedAt, this.#confirmedAt.get(key) ?? -Infinity));
  }

  steppedUp(node: NodeId, term: number): void {
    if (this.#leaders.get(term) !== node)
      this.#fail(`${node} leads in term ${term}, granted to ${this.#leaders.get(term)}`);
    this.steppedUpAt.push({ at: this.time.now, node, term });
  }

  /** Called for every act of a leader. */
  acts(node: NodeId, term: number): void {
    const other = this.#acted.get(term);
    if (other !== undefined && other !== node) this.#fail(`${node} and ${other} act in term ${term}`);
    this.#acted.set(term, node);
    const start = this.#confirmedAt.get(`${node}:${term}`) ?? -Infinity;
    if (this.time.now >= start + defaultTimings.leaseMs) this.#fail(`${node} acts in term ${term} after its lease`);
  }

  stepped(node: NodeId, before: BullyState, after: BullyState): void {
    if (after.term < before.term) this.#fail(`${node} forgot term ${before.term} for ${after.term}`);
    if ((after.phase === 'leading') !== (after.tenure !== undefined))
      this.#fail(`${node} is ${after.phase} with a tenure`);
    if (after.phase === 'calling' && after.deadlines.ok === undefined)
      this.#fail(`${node} waits for OK without a timer`);
    if (after.phase === 'awaiting' && after.deadlines.coordinator === undefined) this.#fail(`${node} awaits for ever`);
    if (after.phase === 'following' && after.deadlines.election === undefined) this.#fail(`${node} follows for ever`);
    if (after.phase === 'claiming' && after.claim === undefined) this.#fail(`${node} claims without a claim`);
  }

  defect(node: NodeId, message: string): void {
    this.defects.push(`${node}: ${message}`);
    this.#fail(`${node} reports a defect: ${message}`);
  }
}
