import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StrategyName } from '../core/types.js';
import { World } from './world.js';

const three = ['a', 'b', 'c'];
const world = (strategy: StrategyName = 'bully'): World => new World({ seed: 7, nodes: three, strategy });

function settled(strategy: StrategyName = 'bully'): World {
  const w = world(strategy);
  w.startAll();
  w.time.runUntil(5_000);
  w.say('--');
  return w;
}

/** The dialogue of all nodes, kept as text and reviewed as code. `UPDATE_TRANSCRIPTS=1` writes it anew. */
const scenarios: Record<string, () => World> = {
  'three nodes start': () => {
    const w = world();
    w.startAll();
    w.time.runUntil(5_000);
    return w;
  },
  'the leader dies': () => {
    const w = settled();
    w.crash('c');
    w.time.runUntil(12_000);
    return w;
  },
  'two die': () => {
    const w = settled();
    w.crash('c');
    w.crash('b');
    w.time.runUntil(12_000);
    return w;
  },
  'a node dies during an election': () => {
    const w = settled();
    w.crash('c');
    const kill = (): void => {
      // Just after b has objected to a's election.
      if (w.stateOf('a').phase === 'awaiting') w.crash('b');
      else w.time.after(1, kill);
    };
    kill();
    w.time.runUntil(12_000);
    return w;
  },
  'an old leader wakes': () => {
    const w = settled();
    w.pause('c');
    w.time.runUntil(11_000);
    w.resume('c');
    w.time.runUntil(16_000);
    return w;
  },
  'the store is away for 5 s': () => {
    const w = settled();
    w.store.away = true;
    w.say('the store is away');
    w.time.runUntil(10_000);
    w.store.away = false;
    w.say('the store is back');
    w.time.runUntil(16_000);
    return w;
  },
  'the leader is stopped': () => {
    const w = settled();
    w.stop('c');
    w.time.runUntil(8_000);
    return w;
  },
  'the job-splitter of the leader restarts, then another falls silent': () => {
    const w = settled();
    w.restartSplitter('c');
    w.time.runUntil(8_000);
    w.silenceSplitter('c');
    w.time.runUntil(14_000);
    return w;
  },
  'a higher-ranked node joins': () => {
    const w = world();
    w.start('a');
    w.start('b');
    w.time.runUntil(5_000);
    w.say('--');
    w.start('c');
    w.time.runUntil(12_000);
    return w;
  },
  'raft starts, its leader dies': () => {
    const w = settled('raft');
    w.crash(w.acting()[0] as string);
    w.time.runUntil(9_000);
    return w;
  },
  'raft hands over': () => {
    const w = settled('raft');
    w.stop(w.acting()[0] as string);
    w.time.runUntil(6_000);
    return w;
  },
  'raft without a majority': () => {
    const w = settled('raft');
    const leader = w.acting()[0] as string;
    for (const name of three.filter((other) => other !== leader)) w.crash(name);
    w.time.runUntil(14_000);
    return w;
  },
  'lease starts, its holder dies': () => {
    const w = settled('lease');
    w.crash(w.acting()[0] as string);
    w.time.runUntil(14_000);
    return w;
  },
  'lease hands over': () => {
    const w = settled('lease');
    w.stop(w.acting()[0] as string);
    w.time.runUntil(6_000);
    return w;
  },
};

describe('election transcripts', () => {
  it.each(Object.keys(scenarios))('%s', (name) => {
    const file = join(__dirname, 'testdata', `${name.replaceAll(/[^a-z0-9]+/g, '-')}.txt`);
    const text = `# ${name}\n${(scenarios[name] as () => World)().transcript.join('\n')}\n`;
    if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
