import { ascii } from '../golden.fixture.js';
import { Bench, at, vsn } from './bench.fixture.js';
import type { MessageOf } from './codec/message.js';

const choice = { probeChoice: 16, probeIntervalMs: 1_000, probePeriodMs: 300, probeTimeoutMs: 100 };

/** Someone's ping to us. */
const pingOf = (peer: number): MessageOf<'ping'> => ({
  ...{ kind: 'ping', seqNo: 70 + peer, node: 'me', sourceNode: `p${peer}` },
  ...{ sourceAddr: at(peer).addr, sourcePort: at(peer).port },
});
/** Answers each probe; gives who was probed, in turn. */
function probed(bench: Bench, times: number, before: (n: number) => void = () => undefined): number[] {
  return Array.from({ length: times }, (_, n) => {
    before(n);
    const { to, seqNo } = bench.untilPing();
    bench.hear({ kind: 'ack', seqNo, payload: ascii('') }, at(to));
    return to;
  });
}
const accuse = (bench: Bench, peer: number, from: number) =>
  bench.hear({ kind: 'suspect', incarnation: 1, node: `p${peer}`, from: `p${from}` }, at(from));

describe('whom a probe goes to', () => {
  it('is who was not heard for longest: a ping is a sign of life as well', () => {
    const bench = new Bench(4, choice);
    probed(bench, 4);
    const heard = [2, 3, 4];
    const [next] = probed(bench, 1, () => heard.forEach((peer) => bench.hear(pingOf(peer), at(peer))));
    expect(next).toBe(5);
  });

  it('does not count a ping from an address that is not the member’s', () => {
    const bench = new Bench(3, choice);
    probed(bench, 3);
    const [silent] = probed(bench, 1);
    const others = [2, 3, 4].filter((peer) => peer !== silent);
    for (const peer of [...others, ...others]) bench.hear(pingOf(peer), at(9));
    bench.hear({ ...pingOf(99), sourceNode: 'stranger' }, at(99));
    expect(others).toContain(probed(bench, 1)[0]);
    expect(
      Array.from({ length: 40 }, (_, peer) => bench.node.evidence.last(`p${peer}`)).filter(Number.isFinite),
    ).toHaveLength(3);
    expect(bench.node.evidence.last('stranger')).toBe(Number.NEGATIVE_INFINITY);
  });

  it('is everyone once a round all the same, also who is heard all the time', () => {
    const bench = new Bench(4, choice);
    const rounds = Array.from({ length: 6 }, () => probed(bench, 4, () => bench.hear(pingOf(2), at(2))).sort());
    expect(rounds).toEqual(rounds.map(() => [2, 3, 4, 5]));
  });

  it('is, with a choice of one, everyone in the order of the list whatever was heard', () => {
    const order = (heard: boolean) => {
      const bench = new Bench(5, { ...choice, probeChoice: 1 });
      return probed(bench, 5, () => heard && bench.hear(pingOf(3), at(3)));
    };
    expect(order(true)).toEqual(order(false));
  });
});

describe('a sign of life', () => {
  const few = { ...choice, probeChoice: 2 };
  /** Who is probed first when the one next in turn was heard, and then for so long nothing happened. */
  const firstAfter = (ms: number) => {
    const [next = 0] = probed(new Bench(8, few), 1);
    const bench = new Bench(8, few);
    bench.hear(pingOf(next), at(next));
    bench.now += ms;
    return { next, first: probed(bench, 1)[0] };
  };

  it('counts for as many intervals as there are members to choose from', () => {
    const [fresh, old] = [firstAfter(0), firstAfter(2 * few.probeIntervalMs + 1)];
    expect(fresh.first).not.toBe(fresh.next);
    expect(old.first).toBe(old.next);
  });
});

describe('a whole probe', () => {
  it('ends after its own time and not when the next one is due; so does the suspicion', () => {
    const bench = new Bench(3, choice);
    const { to, at: began } = bench.untilPing();
    bench.pass(began + 298 - bench.now);
    expect(bench.state(to)).toBe('alive');
    bench.pass(4);
    expect(bench.state(to)).toBe('suspect');
    for (const from of [2, 3, 4].filter((peer) => peer !== to)) accuse(bench, to, from);
    bench.pass(4 * 300 - 10);
    expect(bench.state(to)).toBe('suspect');
    bench.pass(20);
    expect(bench.state(to)).toBe('dead');
  });
});

describe('an accusation by another', () => {
  it('is checked at once, and confirmed by who gets no answer either', () => {
    const bench = new Bench(4, choice);
    probed(bench, 1);
    const before = bench.sent.length;
    accuse(bench, 3, 2);
    expect(bench.sentSince(before)).toEqual(['ping+suspect → 3']);
    bench.pass(320);
    expect(bench.node.suspicions.get('p3')?.confirmations).toBe(1);
  });

  it('is not checked again when it is heard again, nor while another probe runs, nor with a choice of one', () => {
    const again = new Bench(4, choice);
    accuse(again, 3, 2);
    again.pass(400);
    const before = again.sent.length;
    accuse(again, 3, 4);
    const busy = new Bench(4, choice);
    const { to } = busy.untilPing();
    const other = to === 3 ? 4 : 3;
    const during = busy.sent.length;
    accuse(busy, other, 2);
    const plain = new Bench(4, { ...choice, probeChoice: 1 });
    const first = plain.sent.length;
    accuse(plain, 3, 2);
    expect([again.sentSince(before), busy.sentSince(during), plain.sentSince(first)]).toEqual([[], [], []]);
  });

  it('is checked by about six, however many there are', () => {
    // As many accusations as members: the checks that this one makes of all are those that all make of one.
    const checks = [80, 120, 160, 200, 240].map((members) => {
      const bench = new Bench(members, choice);
      const before = bench.sent.length;
      for (let peer = 2; peer < members + 2; peer++) {
        accuse(bench, peer, 250);
        bench.node.probe = undefined;
      }
      return bench.sentSince(before).length;
    });
    const mean = checks.reduce((sum, some) => sum + some, 0) / checks.length;
    expect(mean).toBeGreaterThan(3);
    expect(mean).toBeLessThan(10);
  });
});

describe('who accuses', () => {
  const reminders = (bench: Bench, since: number) => bench.sentSince(since).filter((sent) => sent === 'suspect → 2');

  it('tells the accused once a period, until it speaks for itself', () => {
    const bench = new Bench(1, choice);
    bench.untilPing();
    bench.pass(302);
    expect(bench.state(2)).toBe('suspect');
    const before = bench.sent.length;
    bench.pass(900);
    expect(reminders(bench, before)).toHaveLength(3);
    bench.hear({ kind: 'alive', node: 'p2', incarnation: 2, ...at(2), meta: undefined, vsn }, at(2));
    const after = bench.sent.length;
    bench.pass(600);
    expect([bench.state(2), reminders(bench, after)]).toEqual(['alive', []]);
  });

  it('leaves that to its probes with a choice of one', () => {
    const bench = new Bench(1, { ...choice, probeChoice: 1 });
    bench.untilPing();
    bench.pass(1_200);
    expect([bench.state(2), reminders(bench, 0)]).toEqual(['suspect', []]);
  });
});
