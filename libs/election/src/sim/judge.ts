import type { NodeId } from '@das/kernel';
import type { OfficeState } from '../core/types.js';
import { Ballots } from './ballots.js';
import type { SimNode } from './sim-node.js';
import type { VirtualTime } from './virtual-time.js';

/** A leader stops this long after the start of its last confirmation, by its own clock (ms). */
const leaseMs = 3_000;

/** With a trace, a failure tells what came before it. */
const storyLines = 200;

/** Watches a run and fails it at once when a promise is broken. It trusts nothing that the nodes believe. */
export class Judge {
  readonly #leaders = new Map<number, NodeId>();
  readonly #confirmedAt = new Map<string, number>();
  readonly #actor = new Map<number, NodeId>();
  #granted = 0;
  #effective = 0;
  readonly steppedUpAt: { readonly at: number; readonly node: NodeId; readonly term: number }[] = [];
  readonly ballots: Ballots;

  constructor(
    readonly label: string,
    readonly time: VirtualTime,
    voters: readonly string[],
    private readonly story: readonly string[],
  ) {
    this.ballots = new Ballots(voters.length, (text) => this.fail(text));
  }

  fail(text: string): never {
    const before = this.story.slice(-storyLines).map((line) => `\n${line}`);
    throw new Error(`${this.label}, ${Math.round(this.time.now)} ms: ${text}${before.join('')}`);
  }

  /** Each term is granted once, above all before. */
  granted(term: number, node: NodeId): void {
    if (term <= this.#granted) this.fail(`the store granted ${term} after ${this.#granted}`);
    this.#granted = term;
    this.#leaders.set(term, node);
  }

  /** The store said that the node holds the term; the lease runs from the start of the request, by the node's clock. */
  confirmed(node: NodeId, term: number, startedAt: number): void {
    const key = `${node}:${term}`;
    this.#confirmedAt.set(key, Math.max(startedAt, this.#confirmedAt.get(key) ?? -Infinity));
  }

  steppedUp(node: NodeId, term: number): void {
    if (this.#leaders.get(term) !== node)
      this.fail(`${node} leads in term ${term}, granted to ${this.#leaders.get(term)}`);
    this.steppedUpAt.push({ at: this.time.now, node, term });
  }

  /** Called for every act that a leader begins. */
  acts(node: NodeId, term: number, mono: number): void {
    const start = this.#confirmedAt.get(`${node}:${term}`) ?? -Infinity;
    if (mono >= start + leaseMs) this.fail(`${node} acts in term ${term} after its lease`);
  }

  /** An act was accepted: none of a lower term may follow, nor one of another in the same. */
  tookEffect(node: NodeId, term: number): void {
    if (term < this.#effective) this.fail(`an act of term ${term} took effect after one of term ${this.#effective}`);
    const other = this.#actor.get(term);
    if (other !== undefined && other !== node) this.fail(`${node} and ${other} act in term ${term}`);
    this.#effective = term;
    this.#actor.set(term, node);
  }

  /** After each step of a node; `others` run or stand still. */
  stepped(node: SimNode, before: OfficeState, after: OfficeState, others: readonly SimNode[]): void {
    const { name } = node;
    if (after.term < before.term) this.fail(`${name} forgot term ${before.term} for ${after.term}`);
    if ((after.phase === 'leading') !== (after.tenure !== undefined))
      this.fail(`${name} is ${after.phase} with a tenure`);
    if (after.phase === 'claiming' && after.claim === undefined) this.fail(`${name} claims without a claim`);
    if (after.phase === 'following' && after.deadlines.election === undefined) this.fail(`${name} follows for ever`);
    this.ballots.stepped(node, after, others, this.time.now);
  }

  defect(node: NodeId, message: string): void {
    this.fail(`${node} reports a defect: ${message}`);
  }
}
