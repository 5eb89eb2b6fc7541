import type { NodeId } from '@das/kernel';
import { RaftProbe, node, voters } from '../../sim/probe.js';
import type { ElectionEffect, ElectionEvent } from '../types.js';
import { raft } from './raft.js';
import type { RaftMessage } from './types.js';
import { roundMax } from './types.js';
import { mayFollow } from './vote-slots.js';
import { checkVoters, votersHash } from './voters.js';

type Sent = Extract<ElectionEffect, { kind: 'send' }>;
const sent = (effects: readonly ElectionEffect[]): Sent[] => effects.filter((e): e is Sent => e.kind === 'send');
const letters = (effects: readonly ElectionEffect[], kind: RaftMessage['kind']): RaftMessage[] =>
  sent(effects).flatMap(({ message }) => (message.kind === kind ? [message] : []));
const told = (effects: readonly ElectionEffect[]): string[] =>
  effects.flatMap((e) => (e.kind === 'tell' ? [e.message] : []));
const kinds = (effects: readonly ElectionEffect[]): string[] => effects.map((effect) => effect.kind);
const whyOf = (effects: readonly ElectionEffect[]): string | undefined => {
  const [reply] = letters(effects, 'voteReply');
  return reply?.kind === 'voteReply' ? reply.why : undefined;
};

describe('the list of voters', () => {
  it('has one hash, in whatever order it is written', () => {
    expect(votersHash(['b', 'a'] as NodeId[])).toBe(votersHash(['a', 'b'] as NodeId[]));
    expect(votersHash(['a', 'b'] as NodeId[])).not.toBe(votersHash(['a', 'c'] as NodeId[]));
    expect(votersHash([])).toMatch(/^[0-9a-f]{8}$/);
  });
  it.each([
    [[], 'name them'],
    [['a', 'b', 'a'], 'a is named more than once; name every voter once'],
    [Array.from({ length: 17 }, (_, i) => `n${i}`), 'name at most 15'],
  ])('is refused with what to change: %j', (list, text) => {
    expect(checkVoters(list as NodeId[], node('a')).faults.join()).toContain(text);
  });
  it('is warned about when it is even, or without this node', () => {
    expect(checkVoters(voters, node('a'))).toEqual({ faults: [], warnings: [] });
    const { warnings } = checkVoters(['a', 'b', 'c', 'd'] as NodeId[], node('x'));
    expect(warnings[0]).toContain('bears the loss of 1, as 3 would');
    expect(warnings[1]).toContain('x is not among the voters');
  });
});

describe('a stored vote', () => {
  const vote = (round: number, votedFor?: string) => ({ round, votedFor: votedFor as NodeId | undefined });
  it.each([
    [vote(1), vote(2), true],
    [vote(2), vote(1), false],
    [vote(2), vote(2, 'a'), true],
    [vote(2, 'a'), vote(2, 'a'), true],
    [vote(2, 'a'), vote(2, 'b'), false],
    [vote(2, 'a'), vote(2), false],
    [vote(2, 'a'), vote(3, 'b'), true],
  ])('%j may be followed by %j: %s', (last, next, may) => expect(mayFollow(last, next)).toBe(may));
});

describe('voting', () => {
  it('answers a vote only when it is stored', () => {
    const probe = new RaftProbe().ready();
    const effects = probe.from('a', { kind: 'vote', round: 2 });
    expect(effects).toContainEqual({ kind: 'saveVote', vote: { round: 2, votedFor: 'a' } });
    expect(sent(effects)).toEqual([]);
    expect(letters(probe.saved(), 'voteReply')).toMatchObject([{ granted: true, round: 2, highest: 2 }]);
  });
  it('answers again, without another write, when it is asked again', () => {
    const probe = new RaftProbe().ready();
    probe.from('a', { kind: 'vote', round: 2 });
    probe.saved();
    const again = probe.from('a', { kind: 'vote', round: 2 });
    expect(kinds(again)).not.toContain('saveVote');
    expect(letters(again, 'voteReply')).toMatchObject([{ granted: true }]);
  });
  it('says nothing of a vote that could not be stored, and gives no other in that round', () => {
    const probe = new RaftProbe().ready();
    probe.from('a', { kind: 'vote', round: 2 });
    expect(sent(probe.saved(false))).toEqual([]);
    expect(whyOf(probe.from('c', { kind: 'vote', round: 2 }))).toBe('has no vote left in round 2');
    expect(kinds(probe.from('a', { kind: 'vote', round: 2 }))).toContain('saveVote');
  });
  it('drops what comes while a vote is on its way to the disk, but for answers to heartbeats', () => {
    const probe = new RaftProbe().ready();
    probe.from('a', { kind: 'vote', round: 2 });
    expect(probe.from('c', { kind: 'vote', round: 3 })).toEqual([]);
    expect(probe.from('c', { kind: 'preVote', round: 3 })).toEqual([]);
    expect(probe.from('c', { kind: 'askRound' })).toEqual([]);
    const stale: ElectionEvent = { kind: 'voteSaved', vote: { round: 9, votedFor: undefined }, ok: true };
    expect(probe.feed(stale)).toEqual([]);
    expect(probe.state.saving).toBeDefined();
  });
  it('refuses lower rounds, and another than the one it is bound to', () => {
    const probe = new RaftProbe().ready(5);
    expect(whyOf(probe.from('a', { kind: 'vote', round: 4 }))).toBe('knows round 5');
    probe.from('c', { kind: 'beat', round: 5, seq: 1 });
    probe.saved();
    expect(whyOf(probe.from('a', { kind: 'preVote', round: 6 }))).toBe('has promised itself to c');
    expect(whyOf(probe.from('a', { kind: 'vote', round: 6 }))).toBe('has promised itself to c');
    probe.at(probe.now + 1_200);
    expect(whyOf(probe.from('a', { kind: 'preVote', round: 6 }))).toBeUndefined();
  });
  it('keeps nothing of being asked before', () => {
    const probe = new RaftProbe().ready();
    const before = probe.state.vote;
    expect(letters(probe.from('a', { kind: 'preVote', round: 9 }), 'voteReply')).toMatchObject([
      { pre: true, granted: true, highest: 1 },
    ]);
    expect(probe.state.vote).toBe(before);
    expect(probe.state.promise).toBeUndefined();
  });
  it('lets a candidate pass that its own leader named', () => {
    const probe = new RaftProbe().ready(2);
    probe.from('a', { kind: 'beat', round: 2, seq: 1 });
    probe.saved();
    const wrong = { leader: node('a'), round: 1 };
    expect(whyOf(probe.from('c', { kind: 'vote', round: 3, handOver: wrong }))).toContain('promised');
    const effects = probe.from('c', { kind: 'vote', round: 3, handOver: { leader: node('a'), round: 2 } });
    expect(kinds(effects)).toContain('saveVote');
  });
  it.each([roundMax, -1, 1.5, Number.NaN])('refuses a round that leaves no room, or is none: %s', (round) => {
    const probe = new RaftProbe().ready();
    expect(probe.from('a', { kind: 'vote', round })).toEqual([]);
    expect(probe.from('a', { kind: 'voteReply', round: 2, pre: true, granted: false, highest: round })).toEqual([]);
  });
  it('counts nobody that is no voter, nor itself', () => {
    const probe = new RaftProbe().ready();
    expect(probe.from('x', { kind: 'vote', round: 2 })).toEqual([]);
    expect(probe.from('b', { kind: 'vote', round: 2 })).toEqual([]);
    const other: ElectionEvent = { kind: 'message', message: { kind: 'election', from: node('a'), round: 'r' } };
    expect(probe.feed(other)).toEqual([]);
  });
  it('says once that another goes by another list, and what to change', () => {
    const probe = new RaftProbe().ready();
    const list = [node('a'), node('b')];
    const [text] = told(probe.from('a', { kind: 'vote', round: 2, list }, 'other'));
    expect(text).toContain('a goes by another list of voters (a, b) than b (a, b, c)');
    expect(text).toContain('set the same DAS_ELECTION_VOTERS on every node');
    expect(probe.from('a', { kind: 'vote', round: 2 }, 'other')).toEqual([]);
    expect(kinds(probe.from('a', { kind: 'vote', round: 2 }))).toContain('saveVote');
    expect(probe.state.strangers.size).toBe(0);
  });
});

describe('standing', () => {
  it('asks before, remembers its own vote, asks, and claims a term when a majority agrees', () => {
    const probe = new RaftProbe().ready();
    expect(letters(probe.timer('election'), 'preVote')).toHaveLength(2);
    expect(probe.reply('a', 2, true)).toContainEqual({ kind: 'saveVote', vote: { round: 2, votedFor: 'b' } });
    expect(letters(probe.saved(), 'vote')).toHaveLength(2);
    const effects = probe.reply('a', 2, false);
    expect(letters(effects, 'beat')).toHaveLength(2);
    expect(effects).toContainEqual({ kind: 'claimTerm', above: 0 });
  });
  it('counts each voter once, and no stranger, nor an answer to another ballot', () => {
    const probe = new RaftProbe().ready();
    probe.timer('election');
    expect(probe.reply('a', 3, true)).toEqual([]);
    expect(probe.reply('a', 2, false)).toEqual([]);
    expect(probe.reply('x', 2, true)).toEqual([]);
    expect(probe.state.ballot?.granted.size).toBe(1);
  });
  it('asks again those who did not answer, and gives up in time', () => {
    const probe = new RaftProbe().ready();
    probe.timer('election');
    probe.reply('a', 2, true, false);
    expect(sent(probe.at(probe.now + 130).timer('ballot')).map(({ to }) => to)).toEqual(['c']);
    probe.at(probe.now + 300).timer('ballot');
    expect(probe.state).toMatchObject({ phase: 'following', ballot: undefined, lostBallots: 1 });
  });
  it('follows when someone knows a higher round, and keeps that round', () => {
    const probe = new RaftProbe().ready();
    probe.timer('election');
    const reply = { kind: 'voteReply', round: 2, pre: true, granted: false, highest: 7 } as const;
    expect(probe.from('a', reply)).toContainEqual({ kind: 'saveVote', vote: { round: 7, votedFor: undefined } });
    expect(probe.state.phase).toBe('following');
    expect(probe.from('c', { ...reply, highest: 8 })).toEqual([]);
  });
  it('does not stand before its wait after the start is over, nor as an observer, nor bound', () => {
    const early = new RaftProbe();
    early.feed({ kind: 'voteLoaded', vote: { round: 1, votedFor: undefined } });
    expect(sent(early.at(1_000).timer('election'))).toEqual([]);
    const probe = new RaftProbe().ready();
    probe.from('a', { kind: 'beat', round: 1, seq: 1 });
    probe.saved();
    probe.state = { ...probe.state, deadlines: { election: probe.now } };
    expect(sent(probe.timer('election'))).toEqual([]);
    const observer = raft.initialState({ ...probe.state.config, self: node('x') });
    const watching = new RaftProbe();
    watching.state = { ...observer, splitter: { epoch: 'e1', at: 0 }, deadlines: { election: 0 } };
    expect(sent(watching.timer('election'))).toEqual([]);
    expect(watching.from('a', { kind: 'vote', round: 2 })).toEqual([]);
    watching.from('a', { kind: 'beat', round: 2, seq: 1 });
    expect(watching.state.saving).toBeUndefined();
  });
  it('drops its ballot when it is not able to lead any more, or another leads', () => {
    const asked = new RaftProbe().ready();
    asked.timer('election');
    asked.reply('a', 2, true);
    asked.now += 2_000;
    expect(letters(asked.saved(), 'vote')).toEqual([]);
    expect(asked.state.phase).toBe('following');
    const led = new RaftProbe().ready();
    led.timer('election');
    led.reply('a', 2, true);
    led.feed({ kind: 'message', message: { kind: 'coordinator', leader: node('c'), term: 1, resigned: false } });
    expect(letters(led.saved(), 'vote')).toEqual([]);
  });
  it('goes straight to the vote when its leader names it, and lets the named one go first', () => {
    const probe = new RaftProbe().ready(2);
    probe.from('a', { kind: 'beat', round: 2, seq: 1 });
    probe.saved();
    expect(probe.from('a', { kind: 'resign', round: 1, to: node('b') })).toEqual([]);
    expect(probe.from('c', { kind: 'resign', round: 2, to: node('b') })).toEqual([]);
    probe.from('a', { kind: 'resign', round: 2, to: node('b') });
    expect(letters(probe.saved(), 'vote')).toMatchObject([
      { round: 3, handOver: { leader: 'a', round: 2 } },
      { round: 3, handOver: { leader: 'a', round: 2 } },
    ]);
    const other = new RaftProbe().ready(2);
    for (const to of [node('c'), undefined]) {
      other.from('a', { kind: 'beat', round: 2, seq: 1 });
      other.saved();
      other.from('a', { kind: 'resign', round: 2, to });
      expect(other.state.deadlines.election).toBe(other.now + (to === undefined ? 0 : 200));
    }
  });
});

describe('leading', () => {
  it('follows a leader of its own round that won against it, and reports one that cannot be', () => {
    const lost = new RaftProbe().ready().asksVotes();
    lost.from('c', { kind: 'beat', round: 2, seq: 1 });
    expect(lost.state).toMatchObject({ phase: 'following', ballot: undefined, promise: { to: 'c' } });
    const led = new RaftProbe().ready().leads();
    expect(kinds(led.from('c', { kind: 'beat', round: 2, seq: 1 }))).toEqual(['defect']);
  });
  it('says that a round is over to a leader that has not heard', () => {
    const probe = new RaftProbe().ready(5);
    expect(letters(probe.from('a', { kind: 'beat', round: 4, seq: 9 }), 'beatReply')).toMatchObject([{ highest: 5 }]);
  });
  it('steps down when a voter knows a higher round, or a leader of one speaks', () => {
    const first = new RaftProbe().ready().leads();
    const effects = first.from('a', { kind: 'beatReply', round: 2, seq: 1, highest: 4 });
    expect(effects[0]).toEqual({ kind: 'steppedDown', term: 1, why: 'mandateLost' });
    expect(first.state.vote.round).toBe(4);
    const second = new RaftProbe().ready().leads();
    expect(kinds(second.from('c', { kind: 'beat', round: 3, seq: 1 }))).toContain('steppedDown');
    const claiming = new RaftProbe().ready().wins();
    claiming.from('c', { kind: 'beat', round: 3, seq: 1 });
    expect(claiming.state).toMatchObject({ phase: 'following', mandate: undefined });
  });
  it('keeps its mandate by any majority, counted from the heartbeat that each answered', () => {
    const probe = new RaftProbe().ready().leads();
    const start = probe.now;
    expect(probe.state.mandate?.until).toBe(start + 900);
    expect(letters(probe.at(start + 125).timer('beat'), 'beat')).toHaveLength(0);
    probe.at(start + 250).timer('beat');
    const seq = probe.state.mandate?.seq as number;
    probe.at(start + 300).from('c', { kind: 'beatReply', round: 2, seq, highest: 2 });
    expect(probe.state.mandate?.until).toBe(start + 250 + 900);
    probe.from('c', { kind: 'beatReply', round: 2, seq: 99, highest: 2 });
    probe.from('c', { kind: 'beatReply', round: 1, seq, highest: 1 });
    expect(probe.state.mandate?.until).toBe(start + 1_150);
    expect(letters(probe.at(start + 375).timer('beat'), 'beat')).toHaveLength(0);
  });
  it('speaks twice as often while no majority answers, and leads no longer than its mandate', () => {
    const probe = new RaftProbe().ready().leads();
    const start = probe.now;
    probe.at(start + 125).timer('beat');
    expect(letters(probe.at(start + 250).timer('beat'), 'beat')).toHaveLength(2);
    expect(letters(probe.at(start + 375).timer('beat'), 'beat')).toHaveLength(2);
    expect(raft.leaderOf(probe.state, start + 899).leader).toBe('b');
    expect(raft.leaderOf(probe.state, start + 900).leader).toBeUndefined();
    const effects = probe.at(start + 900).timer('heartbeat');
    expect(probe.state.tenure).toBeUndefined();
    expect(effects).toEqual([]);
  });
  it('gives its round back when the store cannot be reached', () => {
    const probe = new RaftProbe().ready().wins();
    expect(letters(probe.feed({ kind: 'claimFailed', above: 0 }), 'resign')).toHaveLength(2);
    expect(probe.state.mandate).toBeUndefined();
    expect(probe.at(probe.now + 10).timer('beat')).toEqual([]);
  });
  it('claims again, once, when the store knows a higher term of another', () => {
    const probe = new RaftProbe().ready().wins();
    const refused = probe.feed({ kind: 'termClaimed', above: 0, granted: false, term: 4, leader: node('x') });
    expect(refused).toContainEqual({ kind: 'claimTerm', above: 4 });
    probe.feed({ kind: 'termClaimed', above: 4, granted: false, term: 5, leader: node('x') });
    expect(probe.state).toMatchObject({ phase: 'following', mandate: undefined });
  });
  it('names the highest of those that answered lately when it resigns, or nobody', () => {
    const probe = new RaftProbe().ready().leads();
    expect(probe.feed({ kind: 'resign' })).toContainEqual(
      expect.objectContaining({ kind: 'announce', resigned: true, to: 'a' }),
    );
    const late = new RaftProbe().ready().leads();
    const resigned = late.at(late.now + 700).feed({ kind: 'resign' });
    expect(resigned.find((e) => e.kind === 'announce')).toMatchObject({ to: undefined });
  });
});

describe('a voter without its memory', () => {
  const forgetful = (found: 'empty' | 'corrupt', term: number): RaftProbe => {
    const probe = new RaftProbe();
    probe.feed({ kind: 'termSeen', term, leader: node('a') });
    probe.feed({ kind: 'voteLoaded', vote: found });
    return probe;
  };
  it('starts at once where nobody was ever granted a term', () => {
    const probe = forgetful('empty', 0);
    expect(probe.state.saving?.vote).toEqual({ round: 0, votedFor: undefined });
    probe.saved();
    expect(probe.state.recovery).toBeUndefined();
  });
  it('waits for the store before it takes itself for new', () => {
    const probe = new RaftProbe(raft, false);
    expect(letters(probe.feed({ kind: 'voteLoaded', vote: 'empty' }), 'askRound')).toHaveLength(2);
    probe.feed({ kind: 'termSeen', term: 0 });
    probe.at(500).timer('recover');
    expect(probe.state.saving?.vote.round).toBe(0);
  });
  it('votes only when enough others have told, above all that they know, and after another wait', () => {
    const probe = forgetful('corrupt', 3);
    expect(probe.from('a', { kind: 'vote', round: 9 })).toEqual([]);
    expect(letters(probe.from('c', { kind: 'askRound' }), 'tellRound')).toMatchObject([{ round: undefined }]);
    expect(probe.from('a', { kind: 'tellRound', round: 6 })).toEqual([]);
    probe.at(400).from('c', { kind: 'tellRound', round: 8 });
    probe.saved();
    expect(probe.state).toMatchObject({ vote: { round: 9, votedFor: 'b' }, recovery: undefined, bootUntil: 1_500 });
    expect(whyOf(probe.at(1_600).from('a', { kind: 'vote', round: 9 }))).toBe('has no vote left in round 9');
    expect(letters(probe.from('c', { kind: 'askRound' }), 'tellRound')).toMatchObject([{ round: 9 }]);
    expect(probe.from('c', { kind: 'tellRound', round: 20 })).toEqual([]);
  });
  it('starts anew, above the term of the store, when all the others have forgotten too', () => {
    const probe = forgetful('empty', 5);
    probe.from('a', { kind: 'tellRound' });
    expect(probe.state.recovery).toBeDefined();
    probe.from('c', { kind: 'tellRound' });
    expect(probe.state.saving?.vote).toEqual({ round: 6, votedFor: 'b' });
  });
  it('says whom it waits for', () => {
    const probe = forgetful('corrupt', 5);
    probe.from('a', { kind: 'tellRound', round: 2 });
    const [text] = told(probe.at(1_500).timer('election'));
    expect(text).toContain('the vote store of b cannot be read');
    expect(text).toContain('not heard: c');
    expect(raft.leaderOf(probe.state, probe.now).blocked).toBe(text);
    const all = forgetful('empty', 5);
    all.from('a', { kind: 'tellRound' });
    all.from('c', { kind: 'tellRound', round: 4 });
    expect(told(all.at(1_500).timer('election'))[0]).toContain('is empty');
  });
  it('tells nothing before its own store has answered', () => {
    expect(new RaftProbe().from('a', { kind: 'askRound' })).toEqual([]);
    const unread = new RaftProbe();
    unread.from('a', { kind: 'tellRound', round: 3 });
    expect(unread.state.recovery?.told.size).toBe(0);
    expect(told(unread.at(1_500).timer('election'))).toEqual([]);
  });
});

describe('without a majority', () => {
  it('says after two lost ballots who keeps it from leading, once', () => {
    const probe = new RaftProbe().ready();
    const lose = (): readonly ElectionEffect[] => {
      probe.at(probe.now + 2_000).timer('election');
      probe.reply('a', 2, true, false);
      return probe.at(probe.now + 400).timer('ballot');
    };
    expect(told(lose())).toEqual([]);
    const [text] = told(lose());
    expect(text).toBe('no leader: 2 of 3 voters (a, b, c) are needed, 1 agreed; a refuses; c does not answer');
    expect(told(lose())).toEqual([]);
    expect(raft.leaderOf(probe.state, probe.now).blocked).toBe(text);
    probe.from('c', { kind: 'vote', round: 2 }, 'other');
    expect(told(lose())[0]).toContain('c goes by another list of voters');
    probe.from('a', { kind: 'beat', round: 3, seq: 1 });
    expect(raft.leaderOf(probe.state, probe.now).blocked).toBeUndefined();
  });
});
