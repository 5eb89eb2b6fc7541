// docs/gossip.md from the figures of a run: every number of ours comes from them.
import { epidemicMs } from './figures.mjs';
import { shown } from './plot.mjs';

const seconds = (ms) => (Number.isFinite(ms) ? (ms / 1_000).toFixed(2) : '–');
const count = (value) => value.toLocaleString('en-US');
const percent = (share) => `${share * 100} %`;

function table(head, rows) {
  return [head, head.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function spreadTable(rows) {
  return table(
    [
      'profile',
      'members',
      'updates',
      'half (s)',
      '99 % (s)',
      'last (s)',
      'worst last (s)',
      'model, last (s)',
      'missed',
    ],
    rows.map((row) => {
      const { profile, members, events, spread } = row;
      const times = [spread.medianMs, spread.p99Ms, spread.lastMs, spread.worstMs, epidemicMs(row).lastMs].map(seconds);
      return [profile, count(members), events, ...times, spread.missing];
    }),
  );
}

function detectionTable(rows) {
  return table(
    [
      'profile',
      'members',
      'failures',
      'first suspicion, mean (s)',
      'in random turn (s)',
      'first knows (s)',
      'all know (s)',
      'worst (s)',
    ],
    rows.map(({ profile, members, events, probeIntervalMs, probePeriodMs, detection }) => [
      ...[
        profile,
        count(members),
        events,
        seconds(detection.suspicionMeanMs),
        seconds(probeIntervalMs + probePeriodMs),
      ],
      ...[detection.firstMs, detection.allMs, detection.worstMs].map(seconds),
    ]),
  );
}

function loadTable(rows) {
  return table(
    [
      'profile',
      'members',
      'datagrams/s',
      'bytes/s',
      'datagrams for one update',
      'one push/pull (kB)',
      'push/pull (bytes/s)',
    ],
    rows.map(({ profile, members, load, updateDatagrams, pushPull }) => [
      ...[profile, count(members), load.datagrams.toFixed(2), load.datagramBytes.toFixed(0)],
      ...[updateDatagrams.toFixed(1), (pushPull.bytes / 1_000).toFixed(1)],
      count(Math.round((pushPull.bytes * 1_000) / pushPull.everyMs)),
    ]),
  );
}

function lossTable(rows) {
  return table(
    [
      'members',
      'loss',
      'member-hours',
      'false suspicions',
      'per member and minute',
      'false deaths',
      'datagrams/s',
      'bytes/s',
    ],
    rows.map(({ members, loss, memberHours, suspicions, deaths, datagrams, datagramBytes }) => [
      ...[count(members), percent(loss), memberHours.toFixed(1), count(suspicions)],
      ...[(suspicions / (memberHours * 60)).toFixed(3), deaths, datagrams.toFixed(1), count(Math.round(datagramBytes))],
    ]),
  );
}

function slowTable({ rows }) {
  return table(
    ['slow how', 'detector', 'pauses (s)', 'false suspicions', 'false deaths', 'believed by a healthy one'],
    rows.map(({ how, variant, pauseMs, suspicions, deaths, deathsBelieved }) => [
      ...[how, variant, pauseMs / 1_000, count(suspicions), deaths, deathsBelieved],
    ]),
  );
}

/** The tables alone. */
export function tables({ sizes, loss, slow }) {
  return [spreadTable(sizes), detectionTable(sizes), loadTable(sizes), lossTable(loss), slowTable(slow)];
}

const total = (rows, key) => rows.reduce((sum, row) => sum + row[key], 0);

/** What became of the false suspicions, for each share of loss. */
function lossWords(rows) {
  const shares = [...new Set(rows.map(({ loss }) => loss))];
  const words = shares.map((share) => {
    const of = rows.filter(({ loss }) => loss === share);
    const [suspicions, deaths] = [total(of, 'suspicions'), total(of, 'deaths')];
    return `at ${percent(share)} ${count(suspicions)} suspicions and ${count(deaths)} false deaths in ${total(of, 'memberHours').toFixed(0)} member-hours`;
  });
  return `In all: ${words.join('; ')}.`;
}

/** How the false deaths with and without Lifeguard compare, over all pauses together. */
function lifeguardWords({ rows }) {
  const of = (variant) =>
    total(
      rows.filter((row) => row.how === 'blocked' && row.variant === variant),
      'deaths',
    );
  const [without, with_] = [of('without Lifeguard'), of('with Lifeguard')];
  const times = with_ === 0 ? 'none is left' : `${shown(without / with_)} times fewer`;
  return `${count(without)} false deaths without Lifeguard and ${count(with_)} with it over all pauses together: ${times}`;
}

function pauseWords({ rows }) {
  const of = (variant) =>
    total(
      rows.filter((row) => row.how === 'stopped' && row.variant === variant),
      'suspicions',
    );
  return `${count(of('with Lifeguard'))} false suspicions without the rule and ${count(of('and with the pause rule'))} with it`;
}

/** The whole document. */
export function report(figures) {
  const { sizes, loss, slow, seed } = figures;
  const [spread, detection, load, lost, slowed] = tables(figures);
  const lan = sizes.filter(({ profile }) => profile === 'lan');
  const ratios = (profile) => {
    const of = sizes.filter((row) => row.profile === profile);
    const shares = of.map((row) => row.detection.suspicionMeanMs / (row.probeIntervalMs + row.probePeriodMs));
    return `${Math.min(...shares).toFixed(2)} to ${Math.max(...shares).toFixed(2)}`;
  };
  const largest = lan.at(-1);
  const pushed = (row) => count(Math.round((row.pushPull.bytes * 1_000) / row.pushPull.everyMs));
  return `# Gossip at scale

How the membership protocol of \`libs/memberlist\` behaves with 10 to ${count(largest.members)} members: how fast news spreads, how fast a failure is
found, how often the living are accused, and what it costs. Everything here is **simulated**: virtual time, the library's real core
(\`step\`), a network that delays each datagram by up to 1 ms and loses a share of all packets. A member's sockets, codec and
processor are not in it; \`bench/\` measures those.

After \`npm run build\`, \`node tools/gossip-scale.mjs --full\` writes this page, its plots and \`gossip/figures.json\` anew: seed ${seed}, the same bytes each time, about ten
minutes on one core and at most 1.4 GB of memory. \`--quick\` prints small tables in ten seconds.

Large clusters start converged, everyone knowing everyone. The *interval* is the time between two probes of one member: 1 s in the \`lan\`
profile (the original's default), 0.75 s in \`cluster\`. A *period* is the time for one whole probe: the interval in \`lan\`, 0.2 s in \`cluster\`.
Times are medians over the events unless a column says otherwise.

## News

${spread}

![Dissemination time](gossip/dissemination.svg)

*missed*: members that one update had not reached within a minute. A rumour is told log n times (4 · ⌈log10(n + 1)⌉), each time to other members, so the time grows
with log n. The *model* is the logistic growth of epidemics, on which SWIM (Das, Gupta, Motivala 2002, §4.1) bases its claim that O(log n) periods are enough:
half of the members after ln n, the last after 2 ln n rounds of one contact each. It is theirs in kind; the rate of three contacts for each gossip interval is ours.

## Failures

${detection}

![Detection time, lan](gossip/detection-lan.svg)

![Detection time, cluster](gossip/detection-cluster.svg)

A member dies without a word. *First suspicion* is what SWIM calls detection. SWIM expects it after e/(e − 1) ≈ 1.58 periods, whatever n is, in a model where all members
probe in common rounds and a probe ends in its round. Here nobody's rounds are in step: somebody's probe begins after one interval on average (arrivals at rate one an interval), and
ends one period later (*in random turn*). Measured: ${ratios('lan')} of that in \`lan\`, and no trend in n. That is the claim that matters, and it holds. In \`cluster\`, ${ratios('cluster')} of it: among few
members those are probed first that nobody heard for longest, and the dead are soon among them; among thousands a ping from a given member is too rare to matter.

From suspicion to death the protocol waits on purpose, so that the accused can refute: suspicionMult · log10 n periods, at least suspicionMult. This wait, not the detector, is what grows with n.
Enough members confirm within it that the longer wait of an unconfirmed suspicion (Lifeguard) does not show. *All know* is one dissemination later.

## Load

${load}

![Datagrams per member](gossip/load.svg)

In a quiet cluster each member sends one ping and one ack an interval, as in SWIM: constant in n. Bytes are payload as encoded, before compression and without IP and UDP headers; they grow by the digits of the names only.
*Datagrams for one update*: what each member sends beyond that until the news is old; it grows with log n.

A **push/pull**, which SWIM has not, exchanges the whole table with one member, compressed (bytes of both directions). Its size grows with n; its interval grows with log2 n only, beyond 32 members. So its share is *not* constant:
${pushed(lan[0])} bytes a second for each of ${count(lan[0].members)} members, ${pushed(largest)} for each of ${count(largest.members)}. Whoever runs thousands of members should raise \`pushPullIntervalMs\`.

## Lost packets

${lost}

![False suspicions under loss](gossip/loss.svg)

Lost are datagrams and TCP segments alike; TCP tries again after 1 s (handshake) or 0.2 s (data), which is often too late for a probe. A *false suspicion* is one of a living member, counted once however many
hear of it; the accused refutes it as soon as it hears of it. ${lossWords(loss)}

Each member accuses about as often whatever n is, but each suspicion and each refutation is a rumour to all, so with n the rumours grow: with 1,000 members and 25 % loss they
fill every datagram (bytes/s). That bounds the traffic, and it makes refutations late, which is where those false deaths come from. 5,000 members at 25 % were not run: with queues that full the simulation is too slow.

## Slow members

${slowed}

${slow.plan.slow} of ${slow.plan.members} members are slow for ${slow.plan.seconds} s. *blocked*: what they send and receive waits, their timers go on, as in the experiments of Lifeguard (Dadgar, Phillips, Currey 2017). *stopped*: their timers wait too, as by SIGSTOP or a busy event
loop. Counted are wrong beliefs about members that are *not* slow. *Without Lifeguard*: no local health (\`awarenessMaxMultiplier\` 1), no longer wait for the unconfirmed (\`suspicionMaxTimeoutMult\` 1). It stays better than SWIM proper, as a suspect still hears the accusation with the next probe.

![False deaths, slow members](gossip/slow.svg)

Lifeguard's authors report 50 times fewer false positives ([HashiCorp, 2017](https://www.hashicorp.com/blog/making-gossip-more-robust-with-lifeguard)) on real processes with other
lengths of pauses; the figures are not to be compared one by one. Ours: ${lifeguardWords(slow)}.

![False suspicions, stopped members](gossip/paused.svg)

The **pause rule** is ours: a timer that fires late is taken as one's own ill health, the inbox is read before anything is concluded, and the probe under way accuses nobody. With stopped members: ${pauseWords(slow)}.
`;
}
