// What is simulated, and the figures that come of it. No clock and no chance but the seed: the same plan gives the same figures.
import { clusterConfig, lanConfig, probePeriod } from '../../libs/memberlist/dist/core/config.js';
import * as experiments from '../../libs/memberlist/dist/scale/experiments.js';
import { Fleet } from '../../libs/memberlist/dist/scale/fleet.js';
import { mean, quantile } from '../../libs/memberlist/dist/scale/statistics.js';

const warmUpMs = 3_000;
const quietMs = 10_000;

/** `trials`: clusters × events in each. `loss`: clusters × seconds counted. `slow`: seconds counted. */
export const plans = {
  quick: {
    sizes: [
      { members: 10, clusters: 10, events: 1 },
      { members: 100, clusters: 4, events: 1 },
    ],
    loss: [
      { members: 10, losses: [0, 0.05, 0.25], clusters: 4, seconds: 30 },
      { members: 100, losses: [0, 0.05, 0.25], clusters: 1, seconds: 20 },
    ],
    slow: { members: 64, slow: 8, seconds: 40, pausesMs: [2_000, 8_000] },
  },
  full: {
    sizes: [
      { members: 10, clusters: 60, events: 1 },
      { members: 100, clusters: 30, events: 1 },
      { members: 1_000, clusters: 4, events: 5 },
      { members: 5_000, clusters: 1, events: 4 },
    ],
    loss: [
      { members: 10, losses: [0, 0.05, 0.25], clusters: 20, seconds: 60 },
      { members: 100, losses: [0, 0.05, 0.25], clusters: 4, seconds: 60 },
      { members: 1_000, losses: [0, 0.05], clusters: 1, seconds: 30 },
      { members: 1_000, losses: [0.25], clusters: 1, seconds: 15 },
      { members: 5_000, losses: [0, 0.05], clusters: 1, seconds: 10 },
    ],
    slow: { members: 128, slow: 16, seconds: 120, pausesMs: [2_000, 8_000, 16_000, 32_000] },
  },
};

/** The whole plan; `tell` hears what is under way. */
export function runPlan(plan, seed, tell) {
  const profiles = { lan: lanConfig, cluster: clusterConfig };
  const sizes = Object.entries(profiles).flatMap(([profile, config]) =>
    plan.sizes.map((size) => {
      tell(`${profile}: ${size.members} members`);
      return { profile, ...measureSize(size, config, seed) };
    }),
  );
  const loss = plan.loss.flatMap((row) =>
    row.losses.map((share) => {
      tell(`${share * 100} % loss: ${row.members} members`);
      return measureLoss(row, share, seed);
    }),
  );
  tell('slow members');
  return { seed, sizes, loss, slow: { plan: plan.slow, rows: measureSlow(plan.slow, seed) } };
}

function measureSize({ members, clusters, events }, config, seed) {
  const [spreads, detections] = [[], []];
  let load, cost, pushPull;
  for (let cluster = 0; cluster < clusters; cluster++) {
    const fleet = new Fleet({ members, seed: seed * 1_000 + cluster, config });
    fleet.time.advance(warmUpMs);
    // One cluster is enough for what does not depend on chance.
    load ??= experiments.measureLoad(fleet, quietMs);
    cost ??= experiments.costOfUpdate(fleet, load);
    pushPull ??= fleet.pushPullCost;
    for (let event = 0; event < events; event++) spreads.push(experiments.spreadUpdate(fleet));
    for (let event = 0; event < events; event++) detections.push(experiments.detectFailure(fleet));
  }
  const { probeIntervalMs, gossipIntervalMs, gossipNodes, suspicionMult } = config;
  return {
    ...{ members, probeIntervalMs, probePeriodMs: probePeriod(config), gossipIntervalMs, gossipNodes, suspicionMult },
    ...{ events: spreads.length, load, updateDatagrams: cost, pushPull },
    spread: spreadFigures(spreads),
    detection: detectionFigures(detections),
  };
}

function spreadFigures(spreads) {
  const last = spreads.map(({ delaysMs }) => Math.max(...delaysMs));
  return {
    medianMs: quantile(
      spreads.map(({ delaysMs }) => quantile(delaysMs, 0.5)),
      0.5,
    ),
    p99Ms: quantile(
      spreads.map(({ delaysMs }) => quantile(delaysMs, 0.99)),
      0.5,
    ),
    lastMs: quantile(last, 0.5),
    worstMs: Math.max(...last),
    missing: spreads.reduce((sum, { missing }) => sum + missing, 0),
  };
}

function detectionFigures(detections) {
  const all = detections.map(({ allMs }) => allMs);
  return {
    suspicionMeanMs: mean(detections.map(({ firstSuspicionMs }) => firstSuspicionMs)),
    firstMs: quantile(
      detections.map(({ firstMs }) => firstMs),
      0.5,
    ),
    allMs: quantile(all, 0.5),
    worstMs: Math.max(...all),
  };
}

function measureLoss({ members, clusters, seconds }, loss, seed) {
  const sum = { memberHours: 0, suspicions: 0, deaths: 0 };
  const sent = { datagrams: 0, datagramBytes: 0 };
  for (let cluster = 0; cluster < clusters; cluster++) {
    const fleet = new Fleet({ members, seed: seed * 1_000 + 500 + cluster });
    fleet.network.loss = loss;
    // Health scores and queues find their level first.
    fleet.time.advance(quietMs);
    const before = fleet.network.traffic;
    const mistakes = experiments.countMistakes(fleet, seconds * 1_000);
    const after = fleet.network.traffic;
    for (const key of Object.keys(sum)) sum[key] += mistakes[key];
    for (const key of Object.keys(sent)) sent[key] += (after[key] - before[key]) / (members * seconds * clusters);
  }
  return { members, loss, ...sum, ...sent };
}

/** What a detector knows of slowness: nothing (about SWIM), Lifeguard, and Lifeguard with our rule for pauses. */
const swimLike = { config: { awarenessMaxMultiplier: 1, suspicionMaxTimeoutMult: 1 }, pauseRule: false };
const slowness = [
  { how: 'blocked', variant: 'without Lifeguard', options: swimLike },
  { how: 'blocked', variant: 'with Lifeguard', options: { pauseRule: true } },
  { how: 'stopped', variant: 'without Lifeguard', options: swimLike },
  { how: 'stopped', variant: 'with Lifeguard', options: { pauseRule: false } },
  { how: 'stopped', variant: 'and with the pause rule', options: { pauseRule: true } },
];

function measureSlow({ members, slow, seconds, pausesMs }, seed) {
  return slowness.flatMap(({ how, variant, options }) =>
    pausesMs.map((pauseMs) => {
      const fleet = new Fleet({ members, seed, ...options });
      // Awake for less than a round trip at a time: starved, not merely interrupted.
      experiments.slowDown(fleet, fleet.members.slice(0, slow), { how, pauseMs, awakeMs: 1 });
      fleet.time.advance(quietMs);
      return { how, variant, pauseMs, ...experiments.countMistakes(fleet, seconds * 1_000) };
    }),
  );
}
