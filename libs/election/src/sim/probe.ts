import type { NodeId } from '@das/kernel';
import { raft } from '../core/raft/raft.js';
import type { RaftMessage, RaftState } from '../core/raft/types.js';
import { votersHash } from '../core/raft/voters.js';
import { defaultTimings } from '../core/timings.js';
import type { ElectionEffect, ElectionEvent, OfficeState, Step } from '../core/types.js';
import type { ElectionStrategy } from '../ports/election-strategy.js';

export const node = (name: string): NodeId => name as NodeId;
export const voters = ['a', 'b', 'c'].map(node);
type Unsigned<M> = M extends unknown ? Omit<M, 'voters' | 'from'> : never;

/** One node `b` among voters a, b and c, fed by hand: its store, its disk and its clock are the test. */
export class Probe<S extends OfficeState> {
  state: S;
  now = 0;

  /** `storeSeen`: it has read that there was no term yet. */
  constructor(
    readonly strategy: ElectionStrategy<S>,
    storeSeen = true,
  ) {
    const config = { self: node('b'), instance: 'b1', priorities: {}, voters, preempt: true, timings: defaultTimings };
    this.state = strategy.initialState(config);
    this.feed({ kind: 'started' });
    if (storeSeen) this.feed({ kind: 'termSeen', term: 0 });
    for (const name of voters) this.feed({ kind: 'memberAlive', node: name });
    this.feed({ kind: 'splitterBeat', epoch: 'e1' });
  }

  feed(event: ElectionEvent): readonly ElectionEffect[] {
    const { state, effects }: Step<S> = this.strategy.step(this.state, event, this.now, () => 0);
    this.state = state;
    return effects;
  }
  /** Moves the clock; its job-splitter goes on beating. */
  at(now: number): this {
    this.now = now;
    this.feed({ kind: 'splitterBeat', epoch: 'e1' });
    return this;
  }
  timer(timer: Extract<ElectionEvent, { kind: 'timer' }>['timer']): readonly ElectionEffect[] {
    return this.feed({ kind: 'timer', timer });
  }
}

export class RaftProbe extends Probe<RaftState> {
  constructor(strategy: ElectionStrategy<RaftState> = raft, storeSeen = true) {
    super(strategy, storeSeen);
  }
  /** A voter that remembers, past its wait after the start. */
  ready(round = 1): this {
    this.feed({ kind: 'voteLoaded', vote: { round, votedFor: undefined } });
    return this.at(this.now + 1_200);
  }
  from(sender: string, body: Unsigned<RaftMessage>, hash = votersHash(voters)): readonly ElectionEffect[] {
    return this.feed({ kind: 'message', message: { ...body, from: node(sender), voters: hash } as RaftMessage });
  }
  reply(sender: string, round: number, pre: boolean, granted = true): readonly ElectionEffect[] {
    return this.from(sender, { kind: 'voteReply', round, pre, granted, highest: round - 1 });
  }
  /** The vote store says that it is done. */
  saved(ok = true): readonly ElectionEffect[] {
    const { saving } = this.state;
    return saving === undefined ? [] : this.feed({ kind: 'voteSaved', vote: saving.vote, ok });
  }
  /** Asks before, and is promised round 2 by `a`. Its own vote is then durable. */
  asksVotes(): this {
    this.timer('election');
    this.reply('a', this.state.vote.round + 1, true);
    this.saved();
    return this;
  }
  wins(): this {
    this.asksVotes();
    this.reply('a', this.state.vote.round, false);
    return this;
  }
  leads(): this {
    this.wins();
    this.feed({ kind: 'termClaimed', above: 0, granted: true, term: 1, leader: node('b') });
    return this;
  }
}
