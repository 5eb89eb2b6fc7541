import type { NodeId } from '@das/kernel';
import type { BullyState } from '../core/bully/types.js';
import type { LeaseState } from '../core/lease/types.js';
import type { RaftMessage, RaftState } from '../core/raft/types.js';
import type { OfficeState } from '../core/types.js';
import type { SimNode } from './sim-node.js';

type AnyState = Partial<BullyState & RaftState & LeaseState> & OfficeState;

/** A strategy's own leadership: by votes, or by a record. Bully has none. */
const mandateOf = (state: AnyState): { readonly round: number; readonly until: number } | undefined =>
  state.mandate ?? state.holding;

const leaseName = (node: SimNode, round: number): string => `${node.name}/${node.life}/${round}`;

/** Watches rounds: what votes, leases and records promise each other, apart from the store's terms. */
export class Ballots {
  readonly #given = new Map<string, NodeId>();
  readonly #won = new Map<number, string>();
  readonly #stored = new Map<NodeId, number>();
  #highest = 0;
  /** Records that the bucket forgot: nothing stands behind them any more, and only the store's term keeps their holders' acts apart. */
  readonly #forgotten = new Set<string>();
  #forgetful = false;

  constructor(
    private readonly votersCount: number,
    private readonly fail: (text: string) => never,
  ) {}

  /** A voter tells a candidate that it has its vote: never two of one round. */
  voted(voter: NodeId, message: Extract<RaftMessage, { kind: 'voteReply' }>, to: NodeId): void {
    if (!message.granted || message.pre) return;
    const key = `${message.round}:${voter}`;
    const other = this.#given.get(key);
    if (other !== undefined && other !== to)
      this.fail(`${voter} votes for ${other} and ${to} in round ${message.round}`);
    this.#given.set(key, to);
  }

  /** What is on a disk never falls, over restarts too. */
  stored(node: NodeId, round: number): void {
    const before = this.#stored.get(node) ?? 0;
    if (round < before) this.fail(`${node} stored round ${round} after ${before}`);
    this.#stored.set(node, round);
  }
  diskLost(node: NodeId): void {
    this.#stored.delete(node);
  }
  /** From now on rounds may be given out again: only terms order leaders. */
  bucketForgot(nodes: readonly SimNode[]): void {
    this.#forgetful = true;
    for (const node of nodes) {
      const { taking } = node.state as AnyState;
      for (const lease of [mandateOf(node.state), taking]) {
        if (lease !== undefined) this.#forgotten.add(leaseName(node, lease.round));
      }
    }
  }

  stepped(node: SimNode, state: AnyState, others: readonly SimNode[], now: number): void {
    if (state.phase === 'calling' && state.election !== undefined && state.deadlines.ok === undefined)
      this.fail(`${node.name} waits for OK without a timer`);
    if (state.phase === 'awaiting' && state.election !== undefined && state.deadlines.coordinator === undefined)
      this.fail(`${node.name} awaits for ever`);
    if (state.ballot !== undefined && state.deadlines.ballot === undefined)
      this.fail(`${node.name} waits for votes without a timer`);
    const own = mandateOf(state);
    if (own === undefined) return;
    if (!this.#forgetful) this.#wins(node, own.round, 'mandate' in state);
    if (now >= node.clock.worldAt(own.until) || this.#forgotten.has(leaseName(node, own.round))) return;
    for (const other of others) {
      const theirs = mandateOf(other.state);
      if (theirs === undefined || now >= other.clock.worldAt(theirs.until)) continue;
      if (this.#forgotten.has(leaseName(other, theirs.round))) continue;
      this.fail(`${node.name} (round ${own.round}) and ${other.name} (round ${theirs.round}) both hold a valid lease`);
    }
  }

  #wins(node: SimNode, round: number, byVotes: boolean): void {
    const winner = `${node.name}/${node.life}`;
    const before = this.#won.get(round);
    if (before === winner) return;
    if (before !== undefined) this.fail(`${before} and ${winner} won round ${round}`);
    if (round < this.#highest) this.fail(`${winner} won round ${round} after round ${this.#highest}`);
    this.#won.set(round, winner);
    this.#highest = round;
    if (byVotes) this.#countVotes(node.name, round);
  }

  #countVotes(winner: NodeId, round: number): void {
    const votes = [...this.#given].filter(([key, to]) => key.startsWith(`${round}:`) && to === winner).length + 1;
    if (votes * 2 <= this.votersCount)
      this.fail(`${winner} leads in round ${round} with ${votes} of ${this.votersCount} votes`);
  }
}
