import { readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lines, script, testCluster, until, type TestCluster } from './harness.js';
import type { Rest } from './rest.js';

const items = 16;
/** Each run of an item leaves a line behind; it ends when the gate is open. */
const gated = `
import das, os, time
def map(item, params):
    with open(params["runs"], "a") as runs:
        runs.write(f"{item}\\n")
    while not os.path.exists(params["gate"]):
        das.progress()
        time.sleep(0.05)
    return item * 2
`;

/** Processes that nobody has waited for yet are dead all the same. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

describe('a node that is killed while it holds output and Postgres is away', () => {
  let running: TestCluster;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'das-e2e-runs-'));
    await writeFile(join(folder, 'runs'), '');
    // The accounts of scripts write there, too.
    await Promise.all([chmod(folder, 0o755), chmod(join(folder, 'runs'), 0o666)]);
    // Split: the executor of a node starts whether or not its results-store finds Postgres. A busy machine makes nobody lost here.
    running = await testCluster({
      nodes: 2,
      split: true,
      env: { DAS_CONNECT_TIMEOUT_MS: '60000', DAS_NODE_LOST_MS: '30000', DAS_SCRIPT_WRITES: folder },
    });
  });
  afterEach(async () => {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const spooled = async (node: string): Promise<string[]> =>
    (await readdir(join(running.home, 'spool', node)).catch(() => [])).filter((name) => name.endsWith('.out'));
  /** Items that the node holds an attempt of, as the store has it. */
  async function itemsOn(rest: Rest, id: string, node: string): Promise<number[]> {
    const live = (await rest.parts(id)).filter(({ attempts }) =>
      attempts.some((attempt) => attempt.node === node && attempt.state === 'live'),
    );
    return live.map(({ part }) => Number(/^map:(\d+)-/.exec(part)?.[1]));
  }

  it('commits it after its restart: nothing is lost, nothing is there twice, nothing of it is run again', async () => {
    const { leader } = await running.node(1).leader();
    const [contact, victim] = leader === 'node-1' ? ([1, 'node-2'] as const) : ([2, 'node-1'] as const);
    const rest = running.node(contact);
    const params = { runs: join(folder, 'runs'), gate: join(folder, 'gate') };
    const job = await rest.submit({ code: script(gated), input: { range: [0, items] }, itemsPerPart: 1, params });
    await until('every slot runs an item', async () => {
      const started = (await readFile(params.runs, 'utf8')).trim().split('\n').length;
      return started >= 4 && (await itemsOn(rest, job.id, victim)).length >= 2 ? true : undefined;
    });
    const held = await itemsOn(rest, job.id, victim);
    await running.cluster.postgres!.kill();
    await writeFile(params.gate, '');
    await until('all that the node had is on its disk', async () =>
      (await spooled(victim)).length === held.length ? true : undefined,
    );
    const processes = descendants(running.cluster.node(victim).pid);
    await running.cluster.node(victim).kill('SIGKILL');
    await until('no process of the node is left', async () => (processes.some(alive) ? undefined : true));
    const back = running.cluster.node(victim).restart();
    // Its heartbeats name them from here on; those of the node before it did as well.
    await until('its next life has found them, and the others know it', async () => {
      const log = await readFile(running.cluster.node(victim).logFile, 'utf8');
      const found = log.includes('outputs of an earlier run are on disk');
      const node = (await rest.nodes()).find(({ name }) => name === victim);
      return found && node?.state === 'alive' && node.holding === held.length ? true : undefined;
    });
    await running.cluster.postgres!.restart();
    await back;
    expect((await running.ended(job.id, contact)).state).toBe('succeeded');
    expect(await rest.results(job.id)).toBe(lines(items, (index) => index * 2));
    const runs = (await readFile(params.runs, 'utf8')).trim().split('\n').map(Number);
    expect(held.map((item) => [item, runs.filter((run) => run === item).length])).toEqual(
      held.map((item) => [item, 1]),
    );
    await until('nothing is left on disk', async () => ((await spooled(victim)).length === 0 ? true : undefined));
  });
});
