import { nodeId } from '@das/kernel';
import { beatOf, jobRecord } from './assigner.scenario.js';
import { defaultAssignerConfig } from './assigner-state.js';
import { officeStep, openOffice } from './office.js';
import { type OfficeEffect, type OfficeEvent, type OfficeState, queuedMax } from './office-types.js';

const node = nodeId('node-1');
const record = jobRecord('j', 32);
const job = record.spec.job;
const counts = { committed: 0, failed: 0, open: 0 };
const loaded = { record, counts };

/** An office fed by hand: store, bus and clock are the test. */
class Desk {
  readonly office: OfficeState = openOffice(3, node, defaultAssignerConfig, 10_000, 0);
  now = 0;

  do(event: OfficeEvent): OfficeEffect[] {
    return officeStep(this.office, event, this.now);
  }
  hear(event: Extract<OfficeEvent, { kind: 'heard' }>['event']): OfficeEffect[] {
    return this.do({ kind: 'heard', event });
  }
  beat(): OfficeEffect[] {
    return this.hear({ kind: 'beat', beat: beatOf(node, 2, []) });
  }
  /** With all that it was given. */
  beatHolding(): OfficeEffect[] {
    const live = [...this.office.assigner.nodes.get(node)!.live.values()];
    const held = live.map(({ ref }) => ({ ...ref, phase: 'running' as const, items: 0, runningMs: 0 }));
    return this.hear({ kind: 'beat', beat: beatOf(node, 2, held) });
  }
  /** A job and a node with two slots: its first batch is being saved. */
  saving(): number {
    this.hear({ kind: 'jobCreated', record });
    const [save] = this.beat();
    if (save?.kind !== 'save') throw new Error(`expected a save, not ${save?.kind}`);
    return save.request.act.actSeq;
  }
  saved(actSeq: number, stale: (typeof job)[] = []): OfficeEffect[] {
    return this.do({ kind: 'saved', actSeq, reply: { outcome: 'saved', term: 3, stale } });
  }
}
const kinds = (effects: readonly OfficeEffect[]): string[] => effects.map(({ kind }) => kind);

describe('a batch', () => {
  it('is sent only after it is saved', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    const sent = desk.saved(actSeq);
    expect(kinds(sent)).toEqual(['send']);
    expect(sent[0]).toMatchObject({ node, request: { act: { term: 3, actSeq: actSeq + 1 }, assignments: [{}, {}] } });
  });

  it('keeps what is heard meanwhile for the next one', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    expect(desk.hear({ kind: 'jobCreated', record: jobRecord('k', 8) })).toEqual([]);
    expect(desk.hear({ kind: 'beat', beat: beatOf(nodeId('node-2'), 2, []) })).toEqual([]);
    expect(kinds(desk.saved(actSeq))).toEqual(['send', 'save']);
  });

  it('that was not saved drops the state, which is loaded anew after a pause', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    desk.hear({ kind: 'connection', up: false });
    const [wait] = desk.do({ kind: 'saved', actSeq, reply: undefined });
    expect(wait).toEqual({ kind: 'wait', life: 1, ms: 500 });
    expect(desk.office.assigner.jobs.size).toBe(0);
    expect(desk.do({ kind: 'waited', life: 0 })).toEqual([]);
    expect(desk.do({ kind: 'waited', life: 1 })).toEqual([{ kind: 'readJobs', life: 1 }]);
  });

  it('of an earlier life is forgotten when its answer comes at last', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    desk.do({ kind: 'broke' });
    expect(desk.saved(actSeq)).toEqual([]);
  });

  it('sends nothing of a job for which it no longer applied, and reads that job again', () => {
    const desk = new Desk();
    expect(desk.saved(desk.saving(), [job])).toEqual([{ kind: 'readJob', ask: { life: 0, job, polled: false } }]);
  });

  it('goes out when it is saved: beats that were heard before say nothing about it', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    for (const now of [1_600, 2_600, 3_600]) {
      desk.now = now;
      desk.beat();
    }
    desk.now = 4_000;
    expect(desk.saved(actSeq)).toMatchObject([{ kind: 'send', request: { assignments: [{}, {}] } }]);
  });

  it('is not sent again while its job is being read again: it may not be what is stored', () => {
    const desk = new Desk();
    desk.saved(desk.saving());
    desk.hear({ kind: 'stale', jobs: [job] });
    desk.now = 2_000;
    expect(desk.beat()).toEqual([]);
  });

  it('is the last when the store says that the term is over', () => {
    const desk = new Desk();
    const over = desk.do({ kind: 'saved', actSeq: desk.saving(), reply: { outcome: 'staleTerm', term: 5, stale: [] } });
    expect(over).toEqual([{ kind: 'over', current: 5 }]);
    expect(desk.hear({ kind: 'jobCreated', record: jobRecord('k', 8) })).toEqual([]);
  });
});

describe('trust', () => {
  it('ends decisions when it is over, and lets them go on when it is renewed', () => {
    const desk = new Desk();
    desk.hear({ kind: 'jobCreated', record });
    desk.now = 10_000;
    expect(desk.beat()).toEqual([]);
    expect(kinds(desk.do({ kind: 'trusted', until: 13_000 }))).toEqual(['save']);
  });

  it('lost for long drops what is heard, and the state with it', () => {
    const desk = new Desk();
    desk.now = 10_000;
    for (let i = 0; i < queuedMax; i += 1) expect(desk.hear({ kind: 'tick' })).toEqual([]);
    expect(kinds(desk.hear({ kind: 'tick' }))).toEqual(['wait']);
    expect(desk.office.queue).toEqual([]);
  });
});

describe('what the bus told outlives a reset', () => {
  const other = nodeId('node-2');
  const down = { kind: 'connection', up: false } as const;
  const up = { kind: 'connection', up: true } as const;
  const lost = { kind: 'nodeLost', node: other, why: 'dead' } as const;

  it('of a save that was not answered: the bus came back meanwhile, or went', () => {
    for (const [first, second] of [[down, up] as const, [up, down] as const]) {
      const desk = new Desk();
      desk.hear(first);
      const actSeq = desk.saving();
      desk.hear(second);
      expect(desk.office.assigner.connected).toBe(first.up);
      desk.do({ kind: 'saved', actSeq, reply: undefined });
      expect(desk.office.assigner.connected).toBe(second.up);
    }
  });

  it('of too much that waited, its last word included', () => {
    const desk = new Desk();
    desk.hear(down);
    desk.now = 10_000;
    for (let i = 0; i < queuedMax; i += 1) desk.hear({ kind: 'tick' });
    expect(kinds(desk.hear(up))).toEqual(['wait']);
    expect(desk.office.assigner.connected).toBe(true);
  });

  it('of a batch that broke', () => {
    const desk = new Desk();
    const actSeq = desk.saving();
    desk.hear({ kind: 'jobCreated', record: undefined as never });
    desk.hear(down);
    expect(() => desk.saved(actSeq)).toThrow(TypeError);
    desk.do({ kind: 'broke' });
    expect(desk.office.assigner.connected).toBe(false);
  });

  it('and who was lost stays lost until it beats', () => {
    const third = nodeId('node-3');
    const desk = new Desk();
    desk.hear(lost);
    const actSeq = desk.saving();
    desk.now += 1;
    desk.hear({ ...lost, node: third });
    desk.do({ kind: 'saved', actSeq, reply: undefined });
    expect([...desk.office.assigner.lost]).toEqual([
      [other, { why: 'dead', at: desk.now - 1 }],
      [third, { why: 'dead', at: desk.now }],
    ]);
    const again = desk.saving();
    desk.hear({ kind: 'beat', beat: beatOf(third, 2, []) });
    desk.do({ kind: 'saved', actSeq: again, reply: undefined });
    expect([...desk.office.assigner.lost.keys()]).toEqual([other]);
  });
});

it('a loss that waited for the trust is over when the node has beaten since; another is not', () => {
  const desk = new Desk();
  desk.saved(desk.saving());
  desk.now = 10_000;
  const gone = { kind: 'nodeLost', why: 'dead' } as const;
  for (const name of [node, nodeId('node-2')]) desk.hear({ ...gone, node: name });
  desk.beatHolding();
  expect(desk.do({ kind: 'trusted', until: 20_000 })).toEqual([]);
  expect(desk.office.assigner.nodes.get(node)?.live.size).toBe(2);
  expect([...desk.office.assigner.lost.keys()]).toEqual(['node-2']);
});

describe('a node that is silent while a save is on its way', () => {
  const { lostMs } = defaultAssignerConfig;
  const otherBeat = { kind: 'beat', beat: beatOf(nodeId('node-2'), 2, []) } as const;
  /** Whether the attempts on the node are ended when the answer comes after all; `then` is heard after the silence. */
  const judged = (then: (desk: Desk) => unknown): boolean => {
    const desk = new Desk();
    desk.saved(desk.saving());
    desk.hear({ kind: 'jobCreated', record: jobRecord('k', 8) });
    const [save] = desk.hear(otherBeat);
    if (save?.kind !== 'save') throw new Error('nothing is being saved');
    for (let at = 500; at <= lostMs + 500; at += 500) desk.hear({ kind: 'tick', at });
    desk.now = lostMs + 700;
    then(desk);
    const effects = desk.saved(save.request.act.actSeq);
    return effects.some((effect) => effect.kind === 'save' && effect.request.ended.length > 0);
  };

  it('is lost', () => expect(judged(() => undefined)).toBe(true));
  it('is not when it beats before the answer', () =>
    expect(judged((desk) => [desk.beatHolding(), desk.hear(otherBeat)])).toBe(false));
  it('is not when it was the leader who heard nobody', () =>
    expect(judged((desk) => [false, true].map((up) => desk.hear({ kind: 'connection', up })))).toBe(false));
});

describe('answers of others', () => {
  const reply = { highestTerm: 3 };
  it('a node that saw a higher term ends the term', () => {
    const desk = new Desk();
    const effects = desk.do({ kind: 'sent', node, attempts: [], reply: { outcome: 'staleTerm', highestTerm: 4 } });
    expect(effects).toEqual([{ kind: 'over', current: 4 }]);
  });
  it('a node that drains gets nothing more, and its attempts end', () => {
    const desk = new Desk();
    const [send] = desk.saved(desk.saving());
    const attempts = send?.kind === 'send' ? send.request.assignments : [];
    expect(kinds(desk.do({ kind: 'sent', node, attempts, reply: { ...reply, outcome: 'draining' } }))).toEqual([
      'save',
    ]);
    expect(desk.office.assigner.nodes.get(node)?.draining).toBe(true);
  });
  it('one that accepts changes nothing', () => {
    expect(new Desk().do({ kind: 'sent', node, attempts: [], reply: { ...reply, outcome: 'accepted' } })).toEqual([]);
  });
});

describe('moving a job on', () => {
  const empty = jobRecord('e', 0);
  function advancing(): { desk: Desk; advance: Extract<OfficeEffect, { kind: 'advance' }> } {
    const desk = new Desk();
    const [advance] = desk.hear({ kind: 'jobCreated', record: empty });
    if (advance?.kind !== 'advance') throw new Error(`expected an advance, not ${advance?.kind}`);
    return { desk, advance };
  }
  it('forgets the job that ended', () => {
    const { desk, advance } = advancing();
    const record = { ...empty, state: 'succeeded' as const, finishedAt: 1 };
    desk.do({ ...advance, kind: 'advanceAnswered', reply: { outcome: 'advanced', job: record } });
    expect(desk.office.assigner.jobs.size).toBe(0);
  });
  it('reads the job again when the answer is lost', () => {
    const { desk, advance } = advancing();
    expect(kinds(desk.do({ ...advance, kind: 'advanceAnswered', reply: undefined }))).toEqual(['readJob']);
  });
  it('ends with the term, also of an earlier life; else an earlier life says nothing', () => {
    const { desk, advance } = advancing();
    desk.do({ kind: 'broke' });
    expect(desk.do({ ...advance, kind: 'advanceAnswered', reply: undefined })).toEqual([]);
    const over = desk.do({ ...advance, kind: 'advanceAnswered', reply: { outcome: 'staleTerm' } });
    expect(over).toEqual([{ kind: 'over', current: 4 }]);
  });
});

describe('a poll', () => {
  it('reads one job after the other, and then knows all', () => {
    const desk = new Desk();
    const other = jobRecord('k', 8);
    expect(desk.do({ kind: 'poll' })).toEqual([{ kind: 'readJobs', life: 0 }]);
    expect(desk.do({ kind: 'poll' })).toEqual([]);
    const first = desk.do({ kind: 'jobsRead', life: 0, jobs: [loaded, { record: other, counts }] });
    expect(first).toMatchObject([{ kind: 'readParts', ask: { loaded, wanted: true, polled: true } }]);
    const ask = first[0]?.kind === 'readParts' ? first[0].ask : undefined;
    const second = desk.do({ kind: 'partsRead', ask: ask!, parts: [], bytesPerItem: 0 });
    expect(second).toMatchObject([{ kind: 'readParts', ask: { loaded: { record: other } } }]);
    const last = second[0]?.kind === 'readParts' ? second[0].ask : undefined;
    desk.do({ kind: 'partsRead', ask: last!, parts: [], bytesPerItem: 0 });
    expect([...desk.office.assigner.jobs.keys()]).toEqual([job, other.spec.job]);
    expect(desk.office.assigner.allLoaded).toBe(true);
  });

  it('does not ask for parts that are known, nor for a job that is still uploaded', () => {
    const desk = new Desk();
    desk.hear({ kind: 'jobCreated', record });
    desk.do({ kind: 'poll' });
    const uploading = { record: { ...jobRecord('u', 4), state: 'submitted' as const }, counts };
    const effects = desk.do({ kind: 'jobsRead', life: 0, jobs: [uploading, loaded] });
    expect(effects).toMatchObject([{ kind: 'readParts', ask: { loaded, wanted: false } }]);
  });

  it('reads a job that is not listed any more: it ended, or is gone', () => {
    const desk = new Desk();
    desk.hear({ kind: 'jobCreated', record });
    desk.hear({ kind: 'jobCreated', record: jobRecord('k', 8) });
    desk.do({ kind: 'poll' });
    const [first] = desk.do({ kind: 'jobsRead', life: 0, jobs: [] });
    expect(first).toMatchObject({ kind: 'readJob', ask: { job, polled: true } });
    const ask = first?.kind === 'readJob' ? first.ask : undefined;
    const found = { record: { ...record, state: 'succeeded' as const, finishedAt: 1 }, counts };
    const [second] = desk.do({ kind: 'jobRead', ask: ask!, found });
    const other = second?.kind === 'readJob' ? second.ask : undefined;
    desk.do({ kind: 'jobRead', ask: other!, found: undefined });
    expect(desk.office.assigner.jobs.size).toBe(0);
  });

  it('that could not read everything has not loaded all; the next one asks again', () => {
    const desk = new Desk();
    desk.do({ kind: 'poll' });
    const [read] = desk.do({ kind: 'jobsRead', life: 0, jobs: [loaded] });
    const ask = read?.kind === 'readParts' ? read.ask : undefined;
    desk.do({ kind: 'readFailed', ask: ask! });
    expect(desk.office.assigner.allLoaded).toBe(false);
    expect(kinds(desk.do({ kind: 'poll' }))).toEqual(['readJobs']);
    desk.do({ kind: 'jobsRead', life: 0, jobs: undefined });
    expect(kinds(desk.do({ kind: 'poll' }))).toEqual(['readJobs']);
  });

  it('of an earlier life, and a read that it asked for, are not taken in', () => {
    const desk = new Desk();
    desk.do({ kind: 'poll' });
    desk.do({ kind: 'broke' });
    expect(desk.do({ kind: 'jobsRead', life: 0, jobs: [loaded] })).toEqual([]);
    expect(desk.do({ kind: 'jobRead', ask: { life: 0, job, polled: true }, found: loaded })).toEqual([]);
    const ask = { life: 0, loaded, polled: true, wanted: true };
    expect(desk.do({ kind: 'partsRead', ask, parts: [], bytesPerItem: 0 })).toEqual([]);
    expect(desk.do({ kind: 'readFailed', ask })).toEqual([]);
    expect(desk.office.assigner.jobs.size).toBe(0);
  });

  it('is not disturbed by a job that is read because it woke', () => {
    const desk = new Desk();
    const [read] = desk.hear({ kind: 'jobWoken', job });
    expect(read).toEqual({ kind: 'readJob', ask: { life: 0, job, polled: false } });
    const [parts] = desk.do({ kind: 'jobRead', ask: { life: 0, job, polled: false }, found: loaded });
    const ask = parts?.kind === 'readParts' ? parts.ask : undefined;
    expect(desk.do({ kind: 'partsRead', ask: ask!, parts: [], bytesPerItem: 0 })).toEqual([]);
    expect(desk.office.assigner.jobs.has(job)).toBe(true);
    expect(desk.office.polling).toBeUndefined();
    expect(desk.do({ kind: 'readFailed', ask: { life: 0, job, polled: false } })).toEqual([]);
  });
});

it('tells followers, and nodes what to drop', () => {
  const desk = new Desk();
  desk.office.assigner.notes.push({ job, message: 'hello' });
  desk.office.assigner.drops.push({ node, attempts: [] });
  expect(kinds(desk.hear({ kind: 'tick' }))).toEqual(['drop', 'note']);
});

it('does nothing once it is closed', () => {
  const desk = new Desk();
  const actSeq = desk.saving();
  desk.do({ kind: 'closed' });
  expect(desk.saved(actSeq)).toEqual([]);
  expect(desk.beat()).toEqual([]);
});
