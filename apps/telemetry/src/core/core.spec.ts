import type { AttemptFinished, ExecutorBeat } from '@das/contracts';
import { type JobId, type PartId, nodeId } from '@das/kernel';
import { Counters, metrics, seriesMax } from './metrics.js';
import { NewestBeats, beatAgeMsMax, nodesMax } from './newest-beats.js';
import { prometheusName, prometheusText } from './prometheus.js';
import { TelemetryView } from './view.js';

const job = 'j' as JobId;
const part = 'map:0-1' as PartId;
const held = (phase: 'queued' | 'running' | 'holding') => ({
  job,
  generation: 1,
  part,
  attempt: 1,
  phase,
  items: 0,
  runningMs: 0,
});
const beat = (node: string, change: Partial<ExecutorBeat> = {}): ExecutorBeat => ({
  node: nodeId(node),
  epoch: 'e',
  slots: 2,
  draining: false,
  held: [],
  rssBytes: 1_000,
  workers: 1,
  ...change,
});
const finished = (node: string, change: Partial<AttemptFinished> = {}): AttemptFinished => ({
  attempt: { job, generation: 1, part, attempt: 1 },
  kind: 'map',
  node: nodeId(node),
  outcome: 'committed',
  items: 10,
  busyMs: 500,
  children: [],
  failed: [],
  ...change,
});

describe('the newest heartbeats', () => {
  it('give one status per node, of its newest beat, by name', () => {
    const beats = new NewestBeats();
    beats.heard(beat('b'), 0);
    beats.heard(beat('a', { held: [held('running')] }), 100);
    beats.heard(beat('b', { held: [held('queued'), held('queued'), held('holding')], draining: true }), 200);
    expect(beats.status(300)).toEqual([
      {
        node: 'a',
        slots: 2,
        running: 1,
        queued: 0,
        holding: 0,
        workers: 1,
        rssBytes: 1_000,
        draining: false,
        agoMs: 200,
      },
      {
        node: 'b',
        slots: 2,
        running: 0,
        queued: 2,
        holding: 1,
        workers: 1,
        rssBytes: 1_000,
        draining: true,
        agoMs: 100,
      },
    ]);
  });
  it('are dropped after a minute', () => {
    const beats = new NewestBeats();
    beats.heard(beat('a'), 0);
    beats.heard(beat('b'), 1);
    expect(beats.status(beatAgeMsMax)).toHaveLength(2);
    expect(beats.status(beatAgeMsMax + 1).map((status) => status.node)).toEqual(['b']);
  });
  it('are bounded: the oldest goes', () => {
    const beats = new NewestBeats();
    for (let i = 0; i <= nodesMax; i += 1) beats.heard(beat(`n${i}`), i);
    const names = beats.status(nodesMax).map((status) => status.node);
    expect(names).toHaveLength(nodesMax);
    expect(names).not.toContain('n0');
  });
});

describe('the metrics of a node', () => {
  it('count what happened on it, and not on others', () => {
    const view = new TelemetryView(nodeId('a'));
    for (const node of ['a', 'a', 'b']) view.finished(finished(node));
    view.finished(finished('a', { outcome: 'abandoned', kind: 'gather', items: 3 }));
    for (const node of ['a', 'b'])
      view.logged({ node: nodeId(node), service: 'executor', level: 'warn', message: 'm', at: 0 });
    const values = Object.fromEntries(
      view
        .samples(0)
        .map(({ metric, attributes, value }) => [`${metric.name} ${Object.values(attributes).join(' ')}`, value]),
    );
    expect(values).toEqual({
      'das.election.term a': 0,
      'das.jobs.attempts.finished a committed map': 2,
      'das.jobs.attempts.finished a abandoned gather': 1,
      'das.jobs.attempts.busy a map': 1,
      'das.jobs.attempts.busy a gather': 0.5,
      'das.jobs.items.done a map': 20,
      'das.log.messages a executor warn': 1,
    });
  });
  it('show its own executor while it speaks, and the highest term', () => {
    const view = new TelemetryView(nodeId('a'));
    view.beat(beat('a', { held: [held('running'), held('queued')] }), 0);
    view.beat(beat('b', { slots: 99 }), 0);
    view.term(4);
    view.term(3);
    const gauges = (now: number) =>
      Object.fromEntries(view.samples(now).map(({ metric, value }) => [metric.name, value]));
    expect(gauges(10)).toEqual({
      'das.executor.slots': 2,
      'das.executor.running': 1,
      'das.executor.queued': 1,
      'das.executor.holding': 0,
      'das.executor.workers': 1,
      'das.executor.memory': 1_000,
      'das.election.term': 4,
    });
    expect(view.status(10).map((status) => status.node)).toEqual(['a', 'b']);
    const hold = { memoryBytes: 5, spooledBytes: 6, spooled: 1, torn: 2, full: false };
    view.beat(beat('a', { hold }), 20);
    expect([gauges(20), view.status(20)[0]?.hold]).toEqual([
      expect.objectContaining({ 'das.executor.held': 5, 'das.executor.spooled': 6, 'das.executor.torn': 2 }),
      hold,
    ]);
    expect(gauges(beatAgeMsMax + 21)).toEqual({ 'das.election.term': 4 });
  });
  it('have a bounded number of series', () => {
    const counters = new Counters();
    for (let i = 0; i < seriesMax + 10; i += 1) counters.add(metrics.log, { service: `s${i}` }, 1);
    counters.add(metrics.log, { service: 's0' }, 1);
    expect(counters.samples()).toHaveLength(seriesMax);
    expect(counters.samples()[0]?.value).toBe(2);
  });
});

describe('the Prometheus text', () => {
  it('names units and counters as Prometheus does', () => {
    expect(prometheusName(metrics.busy)).toBe('das_jobs_attempts_busy_seconds_total');
    expect(prometheusName(metrics.memory)).toBe('das_executor_memory_bytes');
    expect(prometheusName(metrics.slots)).toBe('das_executor_slots');
    expect(prometheusName(metrics.log)).toBe('das_log_messages_total');
  });
  it('has one head per metric, and escapes values', () => {
    const text = prometheusText([
      { metric: metrics.log, attributes: { service: 'a"b\\c\nd' }, value: 1 },
      { metric: metrics.term, attributes: {}, value: 3 },
      { metric: metrics.log, attributes: { service: 'x', 'das.node': 'n' }, value: 2 },
    ]);
    expect(text).toBe(
      [
        '# HELP das_log_messages_total Warnings and errors told by services, by level and service.',
        '# TYPE das_log_messages_total counter',
        'das_log_messages_total{service="a\\"b\\\\c\\nd"} 1',
        'das_log_messages_total{service="x",das_node="n"} 2',
        '# HELP das_election_term Newest term heard of.',
        '# TYPE das_election_term gauge',
        'das_election_term 3',
        '',
      ].join('\n'),
    );
    expect(prometheusText([])).toBe('');
  });
});
