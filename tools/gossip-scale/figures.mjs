// The plots of docs/gossip.md from the figures of a run.
import { barChart, lineChart } from './plot.mjs';

const seconds = (ms) => ms / 1_000;
const members = 'members (logarithmic)';

/** Members that know a rumour when each tells `gossipNodes` others every interval: logistic growth, half after ln n, all but one after twice that. */
export function epidemicMs({ members: n, gossipNodes, gossipIntervalMs }) {
  return {
    halfMs: (Math.log(n) / gossipNodes) * gossipIntervalMs,
    lastMs: ((2 * Math.log(n)) / gossipNodes) * gossipIntervalMs,
  };
}

/** File names and contents. */
export function plotsOf({ sizes, loss, slow }) {
  const lan = sizes.filter(({ profile }) => profile === 'lan');
  const cluster = sizes.filter(({ profile }) => profile === 'cluster');
  return {
    'dissemination.svg': dissemination(lan),
    'detection-lan.svg': detection(lan, 'lan profile'),
    'detection-cluster.svg': detection(cluster, 'cluster profile'),
    'load.svg': load(lan, cluster),
    'loss.svg': lossPlot(loss),
    'slow.svg': slowPlot(slow),
    'paused.svg': pausedPlot(slow),
  };
}

function dissemination(rows) {
  const points = (value) => rows.map((row) => [row.members, seconds(value(row))]);
  return lineChart({
    title: 'Time until an update is known (lan profile)',
    description: 'Simulated: median, 99th percentile and last member, against the epidemic model.',
    x: members,
    y: 'seconds',
    series: [
      { name: 'last member', points: points(({ spread }) => spread.lastMs) },
      { name: '99 % of members', points: points(({ spread }) => spread.p99Ms) },
      { name: 'half of members', points: points(({ spread }) => spread.medianMs) },
      { name: 'model, last: 2 ln n gossips of 3', reference: true, points: points((row) => epidemicMs(row).lastMs) },
      { name: 'model, half: ln n gossips of 3', reference: true, points: points((row) => epidemicMs(row).halfMs) },
    ],
  });
}

function detection(rows, profile) {
  const points = (value) => rows.map((row) => [row.members, seconds(value(row))]);
  const least = (row) =>
    row.probeIntervalMs + row.probePeriodMs * (1 + row.suspicionMult * Math.max(1, Math.log10(row.members)));
  return lineChart({
    title: `From a failure to its detection (${profile})`,
    description: 'Simulated: first suspicion, first survivor that declares the death, all survivors.',
    x: members,
    y: 'seconds',
    series: [
      { name: 'all survivors know', points: points(({ detection: { allMs } }) => allMs) },
      { name: 'first survivor knows', points: points(({ detection: { firstMs } }) => firstMs) },
      { name: 'first suspicion (mean)', points: points(({ detection: { suspicionMeanMs } }) => suspicionMeanMs) },
      { name: 'interval, period, least suspicion', reference: true, points: points(least) },
      {
        name: 'SWIM, first: 1.58 intervals',
        reference: true,
        points: points((row) => (row.probeIntervalMs * Math.E) / (Math.E - 1)),
      },
    ],
  });
}

function load(lan, cluster) {
  const points = (rows) => rows.map((row) => [row.members, row.load.datagrams]);
  return lineChart({
    title: 'Datagrams that a member sends in a quiet cluster',
    description: 'Simulated: constant in the number of members.',
    x: members,
    y: 'datagrams per member and second',
    series: [
      { name: 'cluster profile', points: points(cluster) },
      { name: 'lan profile', points: points(lan) },
      {
        name: 'a ping and an ack an interval, cluster',
        reference: true,
        points: cluster.map((row) => [row.members, 2_000 / row.probeIntervalMs]),
      },
      {
        name: 'a ping and an ack an interval, lan',
        reference: true,
        points: lan.map((row) => [row.members, 2_000 / row.probeIntervalMs]),
      },
    ],
  });
}

function lossPlot(rows) {
  const groups = [...new Set(rows.map(({ loss }) => loss))];
  const sizes = [...new Set(rows.map(({ members: n }) => n))];
  // A size that was not simulated at some loss has no bars at all; the table has what there is.
  const whole = sizes.filter((n) => groups.every((loss) => rows.some((row) => row.members === n && row.loss === loss)));
  const rate = (n, loss) => {
    const row = rows.find((one) => one.members === n && one.loss === loss);
    return row.suspicions / (row.memberHours * 60);
  };
  return barChart({
    title: 'False suspicions under packet loss (lan profile)',
    description: 'Simulated: suspicions of living members for each member and minute, nearly all refuted.',
    x: 'lost packets, datagrams and TCP segments alike',
    y: 'suspicions per member and minute',
    groups: groups.map((loss) => `${loss * 100} %`),
    series: whole.map((n) => ({
      name: `${n.toLocaleString('en-US')} members`,
      values: groups.map((loss) => rate(n, loss)),
    })),
  });
}

const perHour = (count, { memberHours }) => count / memberHours;
const variantsOf = (rows) => [...new Set(rows.map(({ variant }) => variant))];

function slowBars({ plan, rows }, how, value) {
  const chosen = rows.filter((row) => row.how === how);
  return {
    x: `pauses of ${plan.slow} slow members among ${plan.members}, each awake for 1 ms in between`,
    groups: plan.pausesMs.map((ms) => `${ms / 1_000} s`),
    series: variantsOf(chosen).map((variant) => ({
      name: variant,
      values: chosen.filter((row) => row.variant === variant).map((row) => perHour(value(row), row)),
    })),
  };
}

function slowPlot(slow) {
  return barChart({
    title: 'Healthy members declared dead, while others are slow',
    description: 'Simulated: messages of the slow ones wait in and out, their timers go on.',
    y: 'false deaths per member and hour',
    ...slowBars(slow, 'blocked', ({ deaths }) => deaths),
  });
}

function pausedPlot(slow) {
  return barChart({
    title: 'Healthy members suspected, while others are stopped',
    description: 'Simulated: the slow ones are stopped with their timers, as by SIGSTOP or a busy event loop.',
    y: 'false suspicions per member and hour',
    ...slowBars(slow, 'stopped', ({ suspicions }) => suspicions),
  });
}
