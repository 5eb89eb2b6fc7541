import fc from 'fast-check';
import {
  type SpoolEffect,
  type SpoolEvent,
  type SpoolState,
  askPauseMs,
  asksMax,
  diskPauseMs,
  isSpooled,
  newSpool,
  spoolStep,
  spoolTrouble,
  spooledBytes,
  spooledFiles,
} from './spool.js';

const bounds = { bytesMax: 100, filesMax: 10 };
type Timed = SpoolEvent & { readonly at?: number };
const offer = (key: string, bytes = 10): SpoolEvent => ({ kind: 'offered', key, bytes });
const found = (key: string, bytes = 10): SpoolEvent => ({ kind: 'found', key, bytes });
const about = (kind: 'written' | 'over' | 'unanswered', key: string): SpoolEvent => ({ kind, key });
const refused = (key: string): SpoolEvent => ({ kind: 'notWritten', key, why: 'no space left' });
const text = ({ kind, key }: SpoolEffect): string => `${kind} ${key}`;

function run(start: SpoolState, ...events: Timed[]): { state: SpoolState; did: string[]; wakeAt: number | undefined } {
  let state = start;
  let wakeAt: number | undefined;
  const did: string[] = [];
  for (const { at = 0, ...event } of events) {
    const next = spoolStep(state, event, at);
    ({ state, wakeAt } = next);
    did.push(...next.effects.map(text));
  }
  return { state, did, wakeAt };
}

describe('the spool', () => {
  const empty = newSpool(bounds);

  it('writes an output that is offered, lets go of it in memory, asks the store, and removes it when that has judged', () => {
    const { state, did } = run(empty, offer('a'), about('written', 'a'), about('over', 'a'));
    expect(did).toEqual(['write a', 'handOver a', 'ask a', 'remove a']);
    expect([state.entries.size, spooledBytes(state), spooledFiles(state)]).toEqual([0, 0, 0]);
  });

  it('offers once, however often it is told', () => {
    expect(run(empty, offer('a'), offer('a')).did).toEqual(['write a']);
  });

  it('is safe only once it is written', () => {
    const writing = run(empty, offer('a')).state;
    expect([isSpooled(writing, 'a'), isSpooled(run(writing, about('written', 'a')).state, 'a')]).toEqual([false, true]);
    expect(isSpooled(empty, 'a')).toBe(false);
  });

  it('writes one after the other', () => {
    const { did } = run(empty, offer('a'), offer('b'), about('written', 'a'));
    expect(did).toEqual(['write a', 'handOver a', 'write b', 'ask a']);
  });

  it('writes nothing that is judged before its turn', () => {
    const { did } = run(empty, offer('a'), offer('b'), about('over', 'b'), about('written', 'a'));
    expect(did).toEqual(['write a', 'handOver a', 'ask a']);
  });

  it('removes what is judged while it is being written as soon as it is there, and asks nobody about it', () => {
    expect(run(empty, offer('a'), about('over', 'a'), about('over', 'a'), about('written', 'a')).did).toEqual([
      'write a',
      'remove a',
    ]);
    const failed = run(empty, offer('a'), about('over', 'a'), refused('a'));
    expect([failed.did, failed.state.entries.size]).toEqual([['write a'], 0]);
  });

  it('leaves in memory what has no room, and writes it once there is', () => {
    const full = run(empty, offer('a', 60), about('written', 'a'), offer('b', 60), offer('c', 10));
    expect(full.did).toEqual(['write a', 'handOver a', 'ask a', 'write c']);
    expect(spoolTrouble(full.state)).toBeUndefined();
    const settled = run(full.state, about('written', 'c'));
    expect([spoolTrouble(settled.state), settled.wakeAt]).toEqual(['full', undefined]);
    expect(run(settled.state, about('over', 'a')).did).toEqual(['remove a', 'write b']);
  });

  it('counts files, too', () => {
    const { state } = run(newSpool({ bytesMax: 100, filesMax: 1 }), found('a'), offer('b'));
    expect([spoolTrouble(state), spooledFiles(state)]).toEqual(['full', 1]);
  });

  it('tries a disk that refuses again, after pauses that double up to a bound', () => {
    const first = run(empty, offer('a'), refused('a'));
    expect(spoolTrouble(first.state)).toEqual({ why: 'no space left' });
    expect(first.wakeAt).toBe(diskPauseMs.first);
    expect(run(first.state, { kind: 'tick', at: diskPauseMs.first - 1 }).did).toEqual([]);
    let { state } = first;
    let at: number = diskPauseMs.first;
    for (let tries = 0; tries < 8; tries += 1) {
      const again = run(state, { kind: 'tick', at }, { ...refused('a'), at });
      expect(again.did).toEqual(['write a']);
      state = again.state;
      at = again.wakeAt ?? 0;
    }
    expect(state.disk?.pauseMs).toBe(diskPauseMs.longest);
    const back = run(state, { kind: 'tick', at }, { ...about('written', 'a'), at });
    expect([back.did, spoolTrouble(back.state)]).toEqual([['write a', 'handOver a', 'ask a'], undefined]);
  });

  it('asks about several that were found, and about others only when these are judged', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const { state, did } = run(empty, ...names.map((name) => found(name)));
    expect(did).toEqual(names.slice(0, asksMax).map((name) => `ask ${name}`));
    expect(run(state, about('over', 'b')).did).toEqual(['remove b', 'ask e']);
  });

  it('asks about one at a time while the store is away, in turns, and about several once it is back', () => {
    const away = run(empty, found('a'), about('unanswered', 'a'), found('b'), found('c'));
    expect([away.did, away.wakeAt]).toEqual([['ask a'], askPauseMs.first]);
    const tried = run(away.state, { kind: 'tick', at: 50 }, { ...about('unanswered', 'a'), at: 60 });
    expect([tried.did, tried.wakeAt]).toEqual([['ask a'], 160]);
    const third = run(tried.state, { kind: 'tick', at: 160 });
    expect(third.did).toEqual(['ask b']);
    expect(run(third.state, { ...about('over', 'b'), at: 170 }).did).toEqual(['remove b', 'ask c', 'ask a']);
  });

  it('knows nothing of outputs that it does not have', () => {
    const events = [about('written', 'x'), about('over', 'x'), about('unanswered', 'x'), refused('x')];
    expect(run(empty, ...events).did).toEqual([]);
    const waiting = run(newSpool({ ...bounds, bytesMax: 1 }), offer('a')).state;
    expect(run(waiting, about('unanswered', 'a')).state.entries).toEqual(waiting.entries);
    expect(() => spoolStep(empty, { kind: 'other' } as never, 0)).toThrow('unexpected kind');
  });

  it('keeps within its bounds, and leaves no file behind, whatever happens in whatever order', () => {
    const step = fc.record({ pick: fc.nat(), what: fc.nat({ max: 3 }), bytes: fc.integer({ min: 1, max: 120 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const each of steps) world.happens(each);
        world.calm();
        expect([world.files.size, world.state.entries.size]).toEqual([0, 0]);
      }),
    );
  });
});

/** A disk and a store that do what the spool wants, when the test says so. */
class World {
  state = newSpool(bounds);
  readonly files = new Set<string>();
  readonly #sizes = new Map<string, number>();
  readonly #writing: string[] = [];
  readonly #asked: string[] = [];
  #now = 0;
  #names = 0;

  happens({ pick, what, bytes }: { pick: number; what: number; bytes: number }): void {
    this.#now += pick % 700;
    const open = [...this.state.entries.keys()];
    const [key] = open.slice(pick % Math.max(open.length, 1));
    if (what === 0 && open.length < 20) return this.#offer(bytes);
    if (what === 1) return this.#disk(pick % 3 > 0);
    if (what === 2) return this.#store(pick % 3 > 0);
    if (key !== undefined) this.#tell({ kind: 'over', key });
  }

  calm(): void {
    for (let turns = 0; turns < 200 && this.state.entries.size > 0; turns += 1) {
      this.#now += 20_000;
      this.#tell({ kind: 'tick' });
      this.#disk(true);
      this.#store(true);
      // What found no room commits from memory.
      const waiting = [...this.state.entries].find(([, { state }]) => state === 'waiting');
      if (waiting !== undefined && this.#writing.length === 0) this.#tell({ kind: 'over', key: waiting[0] });
    }
  }

  #offer(bytes: number): void {
    const key = `k${(this.#names += 1)}`;
    this.#sizes.set(key, bytes);
    this.#tell({ kind: 'offered', key, bytes });
  }
  #disk(takes: boolean): void {
    const key = this.#writing.shift();
    if (key === undefined) return;
    if (takes) this.files.add(key);
    this.#tell(takes ? { kind: 'written', key } : { kind: 'notWritten', key, why: 'full' });
  }
  #store(answers: boolean): void {
    const key = this.#asked.shift();
    if (key !== undefined) this.#tell({ kind: answers ? 'over' : 'unanswered', key });
  }
  #tell(event: SpoolEvent): void {
    const { state, effects, wakeAt } = spoolStep(this.state, event, this.#now);
    this.state = state;
    for (const { kind, key } of effects) {
      if (kind === 'write') this.#writing.push(key);
      if (kind === 'ask') this.#asked.push(key);
      if (kind === 'ask' || kind === 'handOver') expect(this.files.has(key)).toBe(true);
      if (kind === 'remove') expect(this.files.delete(key)).toBe(true);
    }
    const kept = [...this.files].reduce((sum, key) => sum + (this.#sizes.get(key) ?? 0), 0);
    expect(kept).toBeLessThanOrEqual(spooledBytes(state));
    expect(spooledBytes(state)).toBeLessThanOrEqual(bounds.bytesMax);
    expect(spooledFiles(state)).toBeLessThanOrEqual(bounds.filesMax);
    expect(this.#writing.length).toBeLessThanOrEqual(1);
    expect(wakeAt ?? Number.POSITIVE_INFINITY).toBeGreaterThan(this.#now);
  }
}
