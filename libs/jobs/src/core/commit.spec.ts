import type { CommitRequest, NewPart } from '@das/contracts';
import { type PartId, jobId, nodeId } from '@das/kernel';
import fc from 'fast-check';
import { decideCommit } from './commit.js';
import { type JobFacts, type StoredPart, partOpen } from './job-rules.js';
import { decideSave } from './job-rules-save.js';
import { parsePartId, partIdOf } from './part-id.js';

const job = jobId('job-1');
const nodes = ['node-1', 'node-2', 'node-3'].map(nodeId);
const items = 60;
const retries = 2;

/** The rules alone, with tables as simple as can be. */
class Table {
  readonly parts = new Map<PartId, StoredPart>();
  readonly accepted: CommitRequest[] = [];
  cut = 0;
  now = 1_000;

  get facts(): JobFacts {
    const hooks = { onSuccess: false, onFailure: false };
    return { state: 'running', generation: 1, sealed: true, items, cut: this.cut, retries, reduces: false, ...hooks };
  }
  get open(): StoredPart[] {
    return [...this.parts.values()].filter(partOpen);
  }
  get live() {
    return [...this.parts.values()].flatMap((part) =>
      part.attempts.map(({ attempt, state }) => ({ part, attempt, state })),
    );
  }

  save(acts: {
    parts?: NewPart[];
    cut?: number;
    attempts?: [PartId, number, number][];
    ended?: [PartId, number][];
  }): void {
    const ref = { job, generation: 1 };
    const request = {
      act: { term: 1, leader: nodes[0]!, actSeq: 0 },
      parts: acts.parts ?? [],
      cuts: acts.cut === undefined ? [] : [{ ...ref, cut: acts.cut }],
      attempts: (acts.attempts ?? []).map(([part, attempt, node]) => ({ ...ref, part, attempt, node: nodes[node]! })),
      ended: (acts.ended ?? []).map(([part, attempt]) => ({ ...ref, part, attempt, why: 'lost' })),
    };
    const decision = decideSave({ id: job, job: this.facts, parts: this.parts, request, now: this.now++ });
    for (const part of [...decision.inserted, ...decision.updated]) this.parts.set(part.part, part);
    this.cut = decision.cut;
  }

  cutNext(size: number): void {
    this.offer(this.cut, Math.min(items, this.cut + size));
  }
  /** What a leader with an old view may ask as well. */
  offer(from: number, to: number): void {
    this.save({
      parts: [{ job, generation: 1, part: partIdOf('map', from, to, 0), kind: 'map', from, to, tries: 0 }],
      cut: to,
    });
  }

  commit(part: StoredPart, attempt: number, fates: readonly Fate[]): string {
    const request = requestOf(part, attempt, fates);
    let decision: ReturnType<typeof decideCommit>;
    try {
      decision = decideCommit({ job: this.facts, part: this.parts.get(part.part), request, now: this.now++ });
    } catch (thrown) {
      return (thrown as { code: string }).code;
    }
    if (decision.outcome !== 'committed') return decision.outcome;
    this.accepted.push(request);
    for (const child of decision.children) expect(this.parts.has(child.part)).toBe(false);
    for (const next of [...decision.settled, ...decision.children]) this.parts.set(next.part, next);
    return 'committed';
  }

  /** Parts partition what is cut; ids say what parts are; states say what attempts say. */
  check(): void {
    const real = [...this.parts.values()].filter(({ state }) => state !== 'replaced').sort((a, b) => a.from - b.from);
    const gaps = real.filter((part, i) => part.from !== (real[i - 1]?.to ?? 0) || part.to <= part.from);
    const wrong = [...this.parts].filter(([id, part]) => !sound(id, part));
    expect([gaps, wrong, real.at(-1)?.to ?? 0]).toEqual([[], [], this.cut]);
  }
}

function sound(id: PartId, part: StoredPart): boolean {
  const name = parsePartId(id);
  const count = (state: string) => part.attempts.filter((a) => a.state === state).length;
  const named = id === part.part && name?.from === part.from && name.to === part.to && name.tries === part.tries;
  const told = (part.state === 'assigned') === count('live') > 0 && count('committed') <= 1;
  return named && told && part.tries <= retries;
}

type Fate = 'done' | 'failed' | 'unfinished';

function requestOf(part: StoredPart, attempt: number, fates: readonly Fate[]): CommitRequest {
  const runs: { fate: Fate; from: number; to: number }[] = [];
  for (let item = part.from; item < part.to; item++) {
    const fate = fates[(item - part.from) % fates.length] ?? 'done';
    const last = runs.at(-1);
    if (last?.fate === fate && fate !== 'failed') last.to++;
    else runs.push({ fate, from: item, to: item + 1 });
  }
  const of = (fate: Fate) => runs.filter((run) => run.fate === fate).map(({ from, to }) => ({ from, to }));
  return {
    attempt: { job, generation: 1, part: part.part, attempt },
    node: nodes[0]!,
    rows: of('done').map(({ from, to }) => ({ kind: 'map', bucket: 0, from, to, seq: 0, bytes: 1 })),
    done: of('done'),
    failures: of('failed').map(({ from }) => ({ item: from, code: 'X', message: 'x' })),
    unfinished: of('unfinished'),
    busyMs: 1,
  };
}

const pick = fc.nat(1000);
const command = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), size: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constant('offer' as const), from: fc.nat(items), to: fc.nat(items) }),
  fc.record({ kind: fc.constant('start' as const), pick, number: fc.integer({ min: -1, max: 2 }), node: fc.nat(2) }),
  fc.record({ kind: fc.constant('end' as const), pick }),
  fc.record({
    kind: fc.constant('commit' as const),
    pick,
    fates: fc.array(fc.constantFrom<Fate>('done', 'done', 'done', 'failed', 'unfinished'), {
      minLength: 1,
      maxLength: 12,
    }),
    twice: fc.boolean(),
  }),
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

const nth = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

function perform(table: Table, act: Command): void {
  if (act.kind === 'cut') return table.cutNext(act.size);
  if (act.kind === 'offer') return table.offer(act.from, act.to);
  if (act.kind === 'start') {
    const part = nth([...table.parts.values()], act.pick);
    if (part) table.save({ attempts: [[part.part, Math.max(1, part.attempts.length + act.number), act.node]] });
    return;
  }
  const target = nth(table.live, act.pick);
  if (!target) return;
  if (act.kind === 'end') return table.save({ ended: [[target.part.part, target.attempt]] });
  const first = table.commit(target.part, target.attempt, act.fates);
  if (act.twice && first === 'committed')
    expect(table.commit(target.part, target.attempt, act.fates)).toBe('alreadyCommitted');
}

/** A leader that does its work to the end, over nodes whose user code fails for some items. */
function finish(table: Table, bad: ReadonlySet<number>): void {
  for (let steps = 0; steps < 1_000; steps++) {
    if (table.cut < items) table.cutNext(7);
    const part = table.open[0];
    if (!part) return;
    const attempt = Math.max(0, ...part.attempts.map((a) => a.attempt)) + 1;
    table.save({ attempts: [[part.part, attempt, 0]] });
    const fates = Array.from({ length: part.to - part.from }, (_, i): Fate =>
      bad.has(part.from + i) ? 'failed' : 'done',
    );
    expect(table.commit(part, attempt, fates)).toBe('committed');
    table.check();
  }
  throw new Error('the job has no end');
}

describe('the rules of commits', () => {
  it('keep parts a partition and give each item exactly one end, whatever comes in whatever order', () => {
    const property = fc.property(
      fc.array(command, { maxLength: 60 }),
      fc.uniqueArray(fc.nat(items - 1), { maxLength: 4 }),
      (acts, bad) => {
        const table = new Table();
        for (const act of acts) {
          perform(table, act);
          table.check();
        }
        finish(table, new Set(bad));
        const ends = [...table.parts.values()].filter(({ state }) => state === 'committed' || state === 'failed');
        const ended = ends
          .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))
          .sort((a, b) => a - b);
        expect(ended).toEqual(Array.from({ length: items }, (_, i) => i));
        const done = table.accepted
          .flatMap((request) => request.done)
          .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
        expect(new Set(done).size).toBe(done.length);
        expect(table.live.some(({ state }) => state === 'live')).toBe(false);
      },
    );
    fc.assert(property, { numRuns: 200 });
  });

  it('shares the time of an attempt out, so that sums over parts stay what was measured', () => {
    const table = new Table();
    table.cutNext(10);
    table.save({ attempts: [['map:0-10' as PartId, 1, 0]] });
    const [part] = table.open;
    table.commit(part!, 1, ['done', 'done', 'failed', 'done', 'unfinished']);
    const sum = [...table.parts.values()].reduce((total, { busyMs = 0 }) => total + busyMs, 0);
    expect(sum).toBeCloseTo(1);
  });

  it('forgets the oldest ended attempts of a part that keeps losing its nodes, and never a number twice', () => {
    const table = new Table();
    table.cutNext(1);
    const part = 'map:0-1' as PartId;
    for (let attempt = 1; attempt <= 100; attempt++) {
      table.save({ attempts: [[part, attempt, 0]] });
      table.save({ ended: [[part, attempt]] });
    }
    expect(table.open[0]?.attempts.map((a) => a.attempt)).toEqual(Array.from({ length: 32 }, (_, i) => 69 + i));
    table.save({ attempts: [[part, 5, 0]] });
    expect(table.open[0]?.state).toBe('pending');
    table.save({ attempts: [[part, 101, 1]] });
    expect(table.commit(table.open[0]!, 101, ['done'])).toBe('committed');
  });
});

describe('part ids', () => {
  it('say what a part is, and nothing else reads as one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('split', 'map', 'reduce', 'gather', 'main'),
        fc.maxSafeNat(),
        fc.maxSafeNat(),
        fc.nat(1000),
        (kind, from, to, tries) => {
          expect(parsePartId(partIdOf(kind, from, to, tries))).toEqual({ kind, from, to, tries });
        },
      ),
    );
    for (const text of ['map:0', 'map:00-1', 'map:0-1~0', 'sort:0-1', 'map:-1-1', ' map:0-1', 'map:0-1~', ''])
      expect(parsePartId(text)).toBeUndefined();
  });
});
