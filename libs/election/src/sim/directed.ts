import { leaseTimings } from '../core/timings.js';
import { lease } from '../core/lease/lease.js';
import type { LeaseState } from '../core/lease/types.js';
import { raft } from '../core/raft/raft.js';
import type { RaftState } from '../core/raft/types.js';
import type { ElectionEffect, OfficeState } from '../core/types.js';
import type { ElectionStrategy } from '../ports/election-strategy.js';
import { Probe, RaftProbe } from './probe.js';
import type { Weakening } from './world-options.js';
import { World } from './world.js';

/** One scenario that storms meet too seldom. Throws iff the protection that it is about is missing. */
export type Directed = (weaken: Weakening) => void;

const expectThat = (holds: boolean, text: string): void => {
  if (!holds) throw new Error(text);
};
const weakened = <S extends OfficeState>(real: ElectionStrategy<S>, { strategy }: Weakening): ElectionStrategy<S> =>
  strategy === undefined ? real : (strategy(real) as unknown as ElectionStrategy<S>);
const raftProbe = (weaken: Weakening): RaftProbe => new RaftProbe(weakened<RaftState>(raft, weaken));
const grants = (effects: readonly ElectionEffect[]): boolean =>
  effects.some((e) => e.kind === 'send' && e.message.kind === 'voteReply' && e.message.granted);

/** A voter that is back at once is asked by a candidate before the leader it is bound to speaks again. */
export const restartedVoterIsAsked: Directed = (weaken) => {
  const probe = raftProbe(weaken);
  probe.feed({ kind: 'voteLoaded', vote: { round: 4, votedFor: 'a' as never } });
  probe.at(20);
  const early = [...probe.from('c', { kind: 'vote', round: 5 }), ...probe.saved()];
  expectThat(!grants(early), 'a voter that may have promised itself in its life before gave its vote');
  probe.at(1_200);
  expectThat(grants([...probe.from('c', { kind: 'vote', round: 5 }), ...probe.saved()]), 'the wait has no end');
};

/** The answer to a heartbeat is on its way for so long that the voter's promise is nearly over when it arrives. */
export const answerComesLate: Directed = (weaken) => {
  const probe = raftProbe(weaken).ready().leads();
  probe.at(probe.now + 125).timer('beat');
  const sentAt = probe.now;
  const { round, seq } = probe.state.mandate as { round: number; seq: number };
  probe.at(sentAt + 750);
  probe.from('a', { kind: 'beatReply', round, seq, highest: round });
  expectThat((probe.state.mandate?.until ?? 0) <= sentAt + 900, 'a mandate is counted from the answer');
};

/** A leader with a valid mandate is asked for its vote in a higher round. */
export const leaderIsAsked: Directed = (weaken) => {
  const probe = raftProbe(weaken).ready().leads();
  probe.at(probe.now + 100);
  const { round } = probe.state.vote;
  const effects = [...probe.from('c', { kind: 'vote', round: round + 1 }), ...probe.saved()];
  expectThat(!grants(effects), 'a leader gave its vote away');
};

/** The vote that would make a majority arrives after a pause, when the voter's promise is over. */
export const candidateWasPaused: Directed = (weaken) => {
  const probe = raftProbe(weaken).ready().asksVotes();
  probe.at(probe.now + 2_000);
  probe.reply('a', probe.state.vote.round, false);
  expectThat(probe.state.mandate === undefined, 'a vote counted long after it was asked for');
};

/** The same voter is asked by two in one round, the second when its promise to the first is over. */
export const secondAskInOneRound: Directed = (weaken) => {
  const probe = raftProbe(weaken).ready();
  probe.from('a', { kind: 'vote', round: 5 });
  expectThat(grants(probe.saved()), 'the first asker gets no vote');
  probe.at(probe.now + 1_200);
  const effects = [...probe.from('c', { kind: 'vote', round: 5 }), ...probe.saved()];
  expectThat(!grants(effects), 'two votes in one round');
};

/** A vote is asked of a voter that is bound to a leader, without asking before. */
export const boundVoterIsAsked: Directed = (weaken) => {
  const probe = raftProbe(weaken).ready();
  probe.from('a', { kind: 'beat', round: 3, seq: 1 });
  probe.saved();
  const effects = [...probe.at(probe.now + 900).from('c', { kind: 'vote', round: 4 }), ...probe.saved()];
  expectThat(!grants(effects), 'a voter broke its promise');
};

/** A node that nobody can hear tries for an hour, and comes back. */
export const aloneForAnHour: Directed = (weaken) => {
  const world = new World({ seed: 3, nodes: ['a', 'b', 'c'], strategy: 'raft', weaken, trace: false });
  world.startAll();
  world.time.runUntil(6_000);
  const [alone] = world.names.filter((name) => !world.acting().includes(name));
  const { round } = world.stateOf<RaftState>(alone as string).vote;
  for (const other of world.names) world.links.cut(alone as string, other);
  world.time.runUntil(3_606_000);
  expectThat(world.stateOf<RaftState>(alone as string).vote.round === round, 'a node alone raised its round');
};

/** A leader stands still with an act on its way, for longer than any of these waits; another leads when it wakes. */
const sleeper =
  (strategy: 'raft' | 'lease'): Directed =>
  (weaken) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new World({ seed, nodes: ['a', 'b', 'c'], latencyMs: [20, 60], strategy, weaken, trace: false });
      world.startAll();
      world.time.runUntil(8_000 + seed * 31);
      for (const name of world.acting()) {
        world.pause(name);
        world.time.after(10_000, () => world.resume(name));
      }
      world.time.runUntil(30_000);
    }
  };
export const sleepingLeader = { raft: sleeper('raft'), lease: sleeper('lease') };

/** The write of a record takes long to be answered: it counts from when it was sent. */
export const recordAnswerComesLate: Directed = (weaken) => {
  const probe = new Probe<LeaseState>(weakened<LeaseState>(lease, weaken));
  const answer = (result: Extract<Parameters<typeof probe.feed>[0], { kind: 'kvAnswered' }>['result']): void => {
    probe.feed({ kind: 'kvAnswered', id: probe.state.asked?.id ?? -1, result });
  };
  answer({ kind: 'record', entry: undefined });
  answer({ kind: 'written', rev: 1 });
  answer({ kind: 'counter', entry: undefined });
  answer({ kind: 'written', rev: 2 });
  const sentAt = probe.now;
  probe.at(sentAt + 250);
  answer({ kind: 'written', rev: 3 });
  expectThat(probe.state.holding?.until === sentAt + leaseTimings(6_000).holdMs, 'a record is held from the answer on');
};
