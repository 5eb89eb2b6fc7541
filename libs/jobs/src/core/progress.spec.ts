import { epochMs } from '@das/kernel';
import { Scenario, jobRecord } from './assigner.scenario.js';
import { takeProgress } from './progress.js';

const at = epochMs(5);

describe('takeProgress', () => {
  it('tells of a job once per change, with an estimate when the cost of an item is learnt', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const [attempt] = cluster.load(jobRecord('j', 100)).attempts;
    const before = { event: 'progress', job: 'j', at, committed: 0, failed: 0, items: 100, sealed: true, running: 2 };
    expect(takeProgress(cluster.state, at)).toEqual([before]);
    expect(takeProgress(cluster.state, at)).toEqual([]);
    cluster.finish(attempt!, { items: 16, busyMs: 160 });
    expect(takeProgress(cluster.state, at)).toMatchObject([{ committed: 16, etaMs: (84 * 10) / 2 }]);
  });

  it('estimates nothing while items are still being split off', () => {
    const cluster = new Scenario();
    cluster.beat('node-1', 2);
    const [attempt] = cluster.load(jobRecord('j', 100, { sealed: false })).attempts;
    cluster.finish(attempt!, {});
    expect(takeProgress(cluster.state, at)[0]).not.toHaveProperty('etaMs');
  });
});
