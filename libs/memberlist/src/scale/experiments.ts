import type { Fleet, Observation } from './fleet.js';
import type { FleetMember, Slowness } from './fleet-member.js';

/** One update, told by its owner and heard by all others. */
export interface Spread {
  /** Time until each of the others had it, ms, in ascending order. */
  readonly delaysMs: readonly number[];
  /** Others that had not heard when the experiment ended. */
  readonly missing: number;
}

/** One member killed. Times from the kill, ms. */
export interface Detection {
  /** Some survivor suspects it. */
  readonly firstSuspicionMs: number;
  /** Some survivor declares it dead. */
  readonly firstMs: number;
  /** Every survivor knows; not a number when one did not in time. */
  readonly allMs: number;
}

/** What a member sends while nothing happens, per second. */
export interface Load {
  readonly datagrams: number;
  readonly datagramBytes: number;
  /** Streams opened: probes by stream and push/pulls. */
  readonly streams: number;
  /** Of both directions. It is not constant: a push/pull carries the whole table. */
  readonly streamBytes: number;
}

/** What one piece of news costs: datagrams that each member sends beyond those of a quiet time. */
export function costOfUpdate(fleet: Fleet, quiet: Load): number {
  const before = fleet.network.traffic.datagrams;
  fleet.observe = () => undefined;
  fleet.pick().run({ kind: 'update', meta: Uint8Array.of(fleet.rng() * 256, 1), token: 1 });
  fleet.time.advance(settleMs);
  const living = fleet.members.filter((member) => !member.killed).length;
  return (fleet.network.traffic.datagrams - before) / living - (quiet.datagrams * settleMs) / 1_000;
}

/** Wrong beliefs about members that live. */
export interface Mistakes {
  readonly memberHours: number;
  /** Suspicions of a healthy member, each counted once however many hear of it. */
  readonly suspicions: number;
  /** Healthy members declared dead, each time counted once. */
  readonly deaths: number;
  /** Of these, those that a healthy member declared or believed. */
  readonly deathsBelieved: number;
}

const spreadMaxMs = 60_000;
/** By then everyone has told the news as often as it will. */
const settleMs = 10_000;
const detectionMaxMs = 600_000;
const stepMs = 5;

/** A random member changes its attributes; measures how the news spreads. */
export function spreadUpdate(fleet: Fleet): Spread {
  const origin = fleet.pick();
  const began = fleet.time.now;
  const delaysMs: number[] = [];
  const others = fleet.members.filter((member) => !member.killed).length - 1;
  fleet.observe = ({ at, observer, change, subject }) => {
    if (change === 'update' && subject.name === origin.name && observer !== origin) delaysMs.push(at - began);
  };
  origin.run({ kind: 'update', meta: Uint8Array.of(fleet.rng() * 256, fleet.rng() * 256), token: 1 });
  fleet.time.advanceUntil(() => delaysMs.length === others, spreadMaxMs, stepMs);
  return { delaysMs, missing: others - delaysMs.length };
}

/** Kills a random member; measures who knows when. */
export function detectFailure(fleet: Fleet): Detection {
  const victim = fleet.pick();
  const began = fleet.time.now;
  const survivors = fleet.members.filter((member) => !member.killed).length - 1;
  const suspected: number[] = [];
  const dead: number[] = [];
  fleet.observe = ({ at, change, subject }) => {
    if (subject.name !== victim.name) return;
    if (change === 'suspect') suspected.push(at - began);
    if (change === 'leave') dead.push(at - began);
  };
  victim.kill();
  fleet.time.advanceUntil(() => dead.length === survivors, detectionMaxMs, stepMs);
  const allMs = dead.length === survivors ? Math.max(...dead) : Number.NaN;
  return { firstSuspicionMs: suspected[0] ?? Number.NaN, firstMs: dead[0] ?? Number.NaN, allMs };
}

/** Lets time pass without events; measures what each member sends. */
export function measureLoad(fleet: Fleet, ms: number): Load {
  const before = fleet.network.traffic;
  fleet.observe = () => undefined;
  fleet.time.advance(ms);
  const after = fleet.network.traffic;
  const living = fleet.members.filter((member) => !member.killed).length;
  const rate = (key: keyof typeof after): number => ((after[key] - before[key]) * 1_000) / (ms * living);
  return {
    datagrams: rate('datagrams'),
    datagramBytes: rate('datagramBytes'),
    streams: rate('streams'),
    streamBytes: rate('streamBytes'),
  };
}

/** Lets time pass and counts what is wrongly believed of members that are healthy; nobody is killed. */
export function countMistakes(fleet: Fleet, ms: number): Mistakes {
  const healthy = new Set(fleet.members.filter(({ slow }) => !slow).map(({ name }) => name));
  const [suspicions, deaths, believed] = [new Set<string>(), new Set<string>(), new Set<string>()];
  fleet.observe = ({ change, subject, observer }: Observation) => {
    if (!healthy.has(subject.name)) return;
    const key = `${subject.name} ${subject.incarnation}`;
    if (change === 'suspect') suspicions.add(key);
    if (change !== 'leave') return;
    deaths.add(key);
    if (!observer.slow) believed.add(key);
  };
  fleet.time.advance(ms);
  return {
    memberHours: (healthy.size * ms) / 3_600_000,
    suspicions: suspicions.size,
    deaths: deaths.size,
    deathsBelieved: believed.size,
  };
}

/** How members are made slow. */
export interface SlowPlan {
  readonly how: Slowness;
  /** Times of standing still and of running, in turn, ms. */
  readonly pauseMs: number;
  readonly awakeMs: number;
}

/** Makes members slow from now on, each in its own phase. */
export function slowDown(fleet: Fleet, members: readonly FleetMember[], { how, pauseMs, awakeMs }: SlowPlan): void {
  const { time } = fleet;
  for (const member of members) {
    member.slow = true;
    const pause = (): void => {
      member.pause(how);
      time.at(time.now + pauseMs, resume);
    };
    const resume = (): void => {
      member.resume();
      time.at(time.now + awakeMs, pause);
    };
    time.at(time.now + fleet.rng() * (pauseMs + awakeMs), pause);
  }
}
