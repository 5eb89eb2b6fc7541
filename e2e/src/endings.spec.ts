import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { testCluster, until, type TestCluster } from './harness.js';
import { type Holdings, holdings, processesWith } from './leaks.js';

/** Of a command that scripts start and leave alone: a time to sleep that nobody else sleeps. */
const mark = `86400.${process.pid}`;
const mib = 1024 * 1024;

interface Ending {
  readonly state: 'succeeded' | 'failed' | 'cancelled';
  /** What the job says of it. */
  readonly message?: RegExp;
  /** A line of each language. What leaves a process alone does so before it ends. */
  readonly python: string;
  readonly node: string;
  readonly command: string;
  readonly more?: object;
}

const left = {
  python: `__import__("subprocess").Popen(["sleep", "${mark}"], start_new_session=True)`,
  node: `require('node:child_process').spawn('sleep', ['${mark}'], { detached: true, stdio: 'ignore' })`,
  command: `setsid sleep ${mark} >/dev/null 2>&1 &`,
};

const endings: Readonly<Record<string, Ending>> = {
  success: { state: 'succeeded', python: 'pass', node: '', command: 'true' },
  exception: {
    ...{ state: 'failed', message: /on purpose|exit code 3/ },
    python: 'raise ValueError("on purpose")',
    node: 'throw new Error("on purpose")',
    command: 'exit 3',
  },
  exit: {
    ...{ state: 'failed', message: /exit code [34]|process\.exit\(3\)/ },
    python: `${left.python}; __import__("os")._exit(3)`,
    node: `${left.node}; process.exit(3)`,
    command: `${left.command} exit 4`,
  },
  killed: {
    ...{ state: 'failed', message: /killed by SIGKILL/ },
    python: `${left.python}; __import__("os").kill(__import__("os").getpid(), 9)`,
    node: `${left.node}; process.kill(process.pid, 'SIGKILL')`,
    command: `${left.command} kill -9 $$`,
  },
  timeout: {
    ...{ state: 'failed', message: /no progress for 0\.3 s/, more: { timeoutMs: 300 } },
    python: `${left.python}; __import__("time").sleep(60)`,
    node: `${left.node}; for (;;);`,
    command: `${left.command} sleep 60`,
  },
  cancel: {
    state: 'cancelled',
    python: `${left.python}; __import__("time").sleep(60)`,
    node: `${left.node}; await new Promise((done) => setTimeout(done, 60_000))`,
    command: `${left.command} sleep 60`,
  },
  memory: {
    ...{ state: 'failed', message: /memory|allocation/i, more: { limits: { memoryBytes: 128 * mib } } },
    python: 'bytearray(400 * 1024 * 1024)',
    node: 'const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1))',
    command: 'head -c 400000000 /dev/zero | tail -n 1 >/dev/null || exit 5',
  },
};

const codes = {
  python: (act: string) => ({ filename: 'job.py', text: `def map(x):\n    ${act}\n    return x\n` }),
  node: (act: string) => ({ filename: 'job.cjs', text: `exports.map = async (x) => { ${act}; return x; };\n` }),
  command: (act: string) => ({ language: 'command', filename: 'command', text: `read x; ${act}\necho "$x"\n` }),
};
const languages = ['python', 'node', 'command'] as const;
const cases = Object.entries(endings).flatMap(([name, ending]) =>
  languages.map((language) => ({ name, ending, language })),
);

const patient = ['full', 'nightly'].includes(process.env['DAS_TEST_TIER'] ?? '');
/** Each round has a job of every ending in every language: 63 jobs, or 1,008. */
const rounds = patient ? 48 : 3;
/** Jobs at a time: more than there are slots, so that none is idle. */
const lanes = 4;
/** Connections to the servers and from clients that a node may keep for the next who needs one. */
const connectionsMore = 16;
const settleMs = 30_000;

describe('jobs of all endings', () => {
  let running: TestCluster;
  beforeAll(async () => {
    running = await testCluster({ nodes: 1 });
  });
  afterAll(() => running.stop());

  async function one({ name, ending, language }: (typeof cases)[number]): Promise<void> {
    const submission = { code: codes[language](ending[language]), input: { items: [1] }, retries: 0, ...ending.more };
    const { id } = await running.node(1).submit(submission);
    if (ending.state === 'cancelled') {
      await until('it has started what it leaves alone', async () => {
        const { state } = await running.node(1).view(id);
        return state === 'running' && processesWith(mark) > 0 ? true : undefined;
      });
      await running.node(1).cancel(id);
    }
    const { state, failure } = await running.ended(id);
    const told = { name, language, state, message: failure?.message };
    expect(told).toEqual({ ...told, state: ending.state });
    if (ending.message !== undefined) expect(told).toMatchObject({ message: expect.stringMatching(ending.message) });
  }

  async function round(): Promise<void> {
    const waiting = [...cases];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await one(next);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  const held = (): Holdings => {
    const { pid } = running.cluster.node('node-1');
    const folders = ['scratch', 'spool', 'code'].map((name) => join(running.home, name));
    return holdings({ pid, folders, mark });
  };

  /** As it is once it stays so: workers that are no longer needed end, and fresh ones take their places. */
  async function settled(): Promise<Holdings> {
    let last = held();
    for (let same = 0; same < 5;) {
      await pause(200);
      const now = held();
      same = JSON.stringify(now) === JSON.stringify(last) ? same + 1 : 0;
      last = now;
    }
    return last;
  }

  const more = (before: Holdings, now: Holdings): string[] =>
    (Object.keys(before) as Array<keyof Holdings>)
      .filter((key) => now[key] > before[key] + (key === 'connections' ? connectionsMore : 0))
      .map((key) => `${key}: ${now[key]} instead of ${before[key]}`);

  it(
    'leave nothing behind on the node, and the next one works',
    async () => {
      await round();
      const before = await settled();
      expect(before.marked).toBe(0);
      expect(before.processes).toBeGreaterThan(3);
      expect(before.files).toBeGreaterThan(0);
      for (let done = 1; done < rounds; done += 1) await round();
      const deadline = Date.now() + settleMs;
      let found = more(before, held());
      while (found.length > 0 && Date.now() < deadline) {
        await pause(200);
        found = more(before, held());
      }
      expect(found).toEqual([]);
      for (const language of languages) await one({ name: 'success', ending: endings['success']!, language });
    },
    patient ? 1_800_000 : 300_000,
  );
});
