import type { Rng } from '@das/kernel';

/** `map`: a range, results as they come. `steps`: `split`, `map` and `gather`, whose steps run on the contact node. */
export type Shape = 'map' | 'steps';

/** A job whose answer is known without any cluster. */
export interface KnownJob {
  readonly shape: Shape;
  readonly items: number;
  readonly submission: object;
  /** The bytes of its result. */
  readonly expected: string;
}

/** Items wait instead of working: how long a job lasts then depends on its slots, not on the cores they share. */
const itemSeconds = 0.05;
/** `split` hands out items this much faster than the slots can work on them, so that it runs for a part of the job. */
const splitLead = 2;
const splitBlock = 100;
/** One job in so many has steps. */
const stepsOneIn = 3;

export const shapeOf = (rng: Rng): Shape => (Math.floor(rng() * stepsOneIn) === 0 ? 'steps' : 'map');

/** A job that lasts `seconds` on that many slots. */
export function knownJob(shape: Shape, seconds: number, slots: number): KnownJob {
  const items = Math.max(1, Math.round((seconds * slots) / itemSeconds));
  const numbers = Array.from({ length: items }, (_, n) => n);
  const text = (order: readonly number[]): string =>
    order.map((n) => `${JSON.stringify({ n, square: n * n })}\n`).join('');
  if (shape === 'map')
    return { shape, items, submission: { code: code([]), input: { range: [0, items] } }, expected: text(numbers) };
  const perBlock = (splitBlock * itemSeconds) / slots / splitLead;
  const params = { items, block: splitBlock, pause: perBlock };
  return { shape, items, submission: { code: code(steps), params }, expected: text(numbers.reverse()) };
}

const steps = [
  'def split(params):',
  '    for n in range(params["items"]):',
  '        if n % params["block"] == 0:',
  '            time.sleep(params["pause"])',
  '        yield n',
  'def gather(results):',
  '    return sorted(results, key=lambda result: -result["n"])',
];

function code(more: readonly string[]): object {
  const map = ['import time', 'def map(n):', `    time.sleep(${itemSeconds})`, '    return {"n": n, "square": n * n}'];
  return { language: 'python', filename: 'reliability.py', text: `${[...map, ...more].join('\n')}\n` };
}
