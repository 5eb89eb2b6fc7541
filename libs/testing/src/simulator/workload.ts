import type { Functions, InputKind, JobSpec } from '@das/contracts';
import { type NodeId, type Rng, jobId } from '@das/kernel';

/** Fails the first so many tries of an item; for ever: Infinity. */
export type Trouble = ReadonlyMap<number, number>;

/** One simulated script with its input: what a user submits, and all that decides what comes of it. */
export interface JobPlan {
  readonly spec: JobSpec;
  /** How many items there are (of `split`: unless it is fickle). */
  readonly items: number;
  /** Items of a block, where blocks are stored. */
  readonly blockItems: number;
  readonly msPerItem: number;
  readonly raises: Trouble;
  readonly crashes: Trouble;
  /** So many tries of `split` yield other items than the later ones, and die on the way. */
  readonly fickleTries: number;
  /** Output is sent ahead of its commit. */
  readonly staged: boolean;
  /** When its user submits it, and gives it up (ms). */
  readonly submitAtMs: number;
  readonly cancelAfterMs: number | undefined;
}

type Shape = Partial<Omit<JobPlan, 'spec'>> & {
  readonly functions: Partial<Functions>;
  readonly input: InputKind['kind'];
  readonly limits?: Partial<JobSpec['limits']>;
};

const noFunctions = { split: false, map: false, combine: false, reduce: false, gather: false, main: false };
/** The SHA-256 of the simulated scripts' text. */
export const codeText = 'x';
const codeDigest = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
/** So many tries that no chance of worker crashes uses them up. */
const manyRetries = 60;
export const keys = 5;

const between = (rng: Rng, from: number, to: number): number => from + Math.floor(rng() * (to - from + 1));
const some = (rng: Rng, items: number, count: number, tries: () => number): Trouble =>
  new Map(Array.from({ length: items === 0 ? 0 : count }, () => [Math.floor(rng() * items), tries()]));

/** Each kind of job that users know, drawn with its sizes. */
const shapes: readonly ((rng: Rng, items: number) => Shape)[] = [
  () => ({ functions: { map: true }, input: 'range' }),
  (rng) => ({ functions: { map: true }, input: 'range', limits: { itemsPerPart: between(rng, 1, 9) } }),
  () => ({ functions: { map: true }, input: 'blocks' }),
  () => ({ functions: { map: true, split: true }, input: 'split' }),
  (rng) => ({
    functions: { map: true, split: true },
    input: 'split',
    fickleTries: between(rng, 1, 2),
    msPerItem: between(rng, 40, 250),
  }),
  (rng) => ({ functions: { map: true, reduce: true }, input: 'range', limits: { buckets: between(rng, 1, 3) } }),
  (rng) => ({
    functions: { map: true, reduce: true, gather: true },
    input: 'blocks',
    limits: { buckets: between(rng, 2, 4) },
  }),
  () => ({ functions: { map: true, gather: true }, input: 'range' }),
  () => ({ functions: { map: true, split: true, gather: true }, input: 'split', staged: true }),
  () => ({ functions: { main: true }, input: 'none', items: 0 }),
  (rng, items) => ({ functions: { map: true }, input: 'range', raises: some(rng, items, 3, () => between(rng, 1, 2)) }),
  (rng, items) => ({
    functions: { map: true },
    input: 'range',
    raises: some(rng, items, 2, () => Infinity),
    limits: { retries: 1, tolerate: { items: items } },
  }),
  (rng, items) => ({
    functions: { map: true, gather: true },
    input: 'blocks',
    raises: some(rng, items, 1, () => Infinity),
    limits: { retries: 0, tolerate: { share: 1 } },
  }),
  (rng, items) => ({
    functions: { map: true },
    input: 'range',
    raises: some(rng, items, 1, () => Infinity),
    limits: { retries: 1 },
  }),
  (rng, items) => ({ functions: { map: true }, input: 'blocks', crashes: some(rng, items, 2, () => 1) }),
  (rng) => ({ functions: { map: true }, input: 'range', cancelAfterMs: between(rng, 0, 6_000) }),
  (rng) => ({ functions: { map: true, reduce: true }, input: 'split', cancelAfterMs: between(rng, 0, 6_000) }),
];

/** A job drawn from a seed: what it is does not depend on what else happens. */
export function drawJob(rng: Rng, name: string, contact: NodeId, submitAtMs: number): JobPlan {
  const draw = shapes[Math.floor(rng() * shapes.length)] as (typeof shapes)[number];
  const drawn = rng() < 0.05 ? 0 : between(rng, 1, rng() < 0.3 ? 160 : 50);
  const { functions, input, limits = {}, ...more } = draw(rng, drawn);
  const items = more.items ?? drawn;
  const base = between(rng, 0, 1_000);
  const spec: JobSpec = {
    ...{ job: jobId(name), name, language: 'python', filename: 'job.py', code: codeDigest },
    functions: { ...noFunctions, ...functions },
    input: input === 'range' ? { kind: input, from: base, to: base + items } : { kind: input },
    params: {},
    limits: { retries: manyRetries, tolerate: { items: 0 }, priority: 100, buckets: 4, ...limits },
    contact,
    network: false,
  };
  const calm = { raises: new Map(), crashes: new Map(), fickleTries: 0, staged: false, cancelAfterMs: undefined };
  const pace = { blockItems: between(rng, 4, 20), msPerItem: between(rng, 5, 120) };
  return { spec, ...calm, ...pace, ...more, items, submitAtMs };
}

/** Whether chance may kill its workers: every such death counts as a try of an innocent item. */
export const hardy = ({ spec }: JobPlan): boolean => spec.limits.retries === manyRetries;
