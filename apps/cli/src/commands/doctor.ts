import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';
import { messageOf } from '@das/kernel';
import { findNatsServer, isAlive, postgresBinaries, readState } from '@das/supervisor';
import type { NodeView } from '@das/contracts';
import { homeOf } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { ExitError, exitCodes } from '../errors.js';
import { type LeaderView, leaderTroubles } from './cluster.js';
import { limitFindings, sandboxFindings, scriptFindings } from './doctor-scripts.js';

const run = promisify(execFile);
const programTimeoutMs = 5_000;
const nodeMin = [20, 19] as const;

/** `fault`: something will not work. `warning`: it works, and may stop doing so. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'fault';
  readonly what: string;
  readonly says: string;
}

/** `das doctor`: looks at this machine and at the cluster; exit code 1 when something will not work. */
export async function doctor(context: Context): Promise<void> {
  const local = await Promise.all([found('python', () => scriptFindings(context)), ...programs(context)]);
  const findings = [nodeFinding(), ...local.flat(), ...(await clusterFindings(context))];
  const marks = { ok: 'ok     ', warning: 'warning', fault: 'fault  ' } as const;
  await context.print(
    findings,
    findings.map(({ level, what, says }) => `${marks[level]}  ${what}: ${says}`).join('\n'),
  );
  if (findings.some(({ level }) => level === 'fault')) throw new ExitError(exitCodes.failed);
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fits = major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1]);
  const says = fits ? process.versions.node : `${process.versions.node}; ${nodeMin.join('.')} or newer is needed`;
  return { level: fits ? 'ok' : 'fault', what: 'node', says };
}

/** What a local cluster needs. A cluster elsewhere needs none of it here, except Python to join. */
function programs({ world }: Context): Promise<Finding[]>[] {
  const { env } = world;
  const given = (what: string, setting: string): Finding[] => [
    { level: 'ok', what, says: `not needed: ${setting} is set` },
  ];
  const ok = async (what: string, says: Promise<string>): Promise<Finding[]> => [
    { level: 'ok', what, says: await says },
  ];
  return [
    found('nats-server', async () =>
      env['DAS_NATS_URL']
        ? given('nats-server', 'DAS_NATS_URL')
        : ok('nats-server', version(await findNatsServer(env['PATH']), ['--version'], env)),
    ),
    found('postgres', async () =>
      env['DAS_DATABASE_URL']
        ? given('postgres', 'DAS_DATABASE_URL')
        : ok('postgres', postgresBinaries(env['DAS_PG_BIN'] || undefined)),
    ),
  ];
}

/** What was looked for, or why it cannot be used. */
function found(what: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  return look().catch((thrown: unknown): Finding[] => {
    const [says = ''] = messageOf(thrown).split('\n');
    return [{ level: 'fault', what, says }];
  });
}

async function version(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run(program, args, { timeout: programTimeoutMs, env }).catch(
    (thrown: { stderr?: string; message: string }) => {
      throw new Error(thrown.stderr?.trim() || thrown.message);
    },
  );
  return stdout.trim();
}

async function clusterFindings(context: Context): Promise<Finding[]> {
  const { world, options } = context;
  const home = homeOf(options, world);
  const local = await readState(home);
  const findings: Finding[] = [];
  if (local && !(await isAlive(local.supervisor))) {
    findings.push({
      level: 'warning',
      what: 'home',
      says: `${home} was left by a cluster that is gone; the next \`das up\` cleans it`,
    });
  }
  try {
    const client = await context.client();
    if (client.urls.length === 0)
      return [
        ...findings,
        { level: 'warning', what: 'cluster', says: 'none is known here; start one with `das up`, or set DAS_URL' },
      ];
    await client.open('/health/ready');
    const [{ nodes }, lead] = await Promise.all([
      client.get<{ nodes: NodeView[] }>('/v1/nodes'),
      client.get<LeaderView>('/v1/leader'),
    ]);
    const alive = nodes.filter(({ state }) => state === 'alive').length;
    findings.push({
      level: alive === nodes.length ? 'ok' : 'warning',
      what: 'cluster',
      says: `${alive} of ${nodes.length} nodes alive, leader ${lead.leader ?? 'none'}`,
    });
    findings.push(...sandboxFindings(nodes), ...limitFindings(nodes));
    for (const says of leaderTroubles(lead)) findings.push({ level: 'fault', what: 'election', says });
  } catch (thrown) {
    findings.push({ level: 'fault', what: 'cluster', says: messageOf(thrown) });
  }
  if (local)
    findings.push(
      ...(await singlePoints(local.nats?.url, local.postgres?.url)),
      ...(await tokenFinding(local.tokenFile)),
    );
  return findings;
}

/** Any node may die; the machines that hold the truth and carry the messages may not, unless there are several. */
async function singlePoints(nats: string | undefined, postgres: string | undefined): Promise<Finding[]> {
  const single = (url: string | undefined): url is string => url !== undefined && !url.includes(',');
  const says = 'is on one machine: if that is lost, the cluster stands still until it is back';
  return [
    ...(single(nats)
      ? [{ level: 'warning', what: 'nats', says: `${says} (several servers in DAS_NATS_URL remove this)` } as const]
      : []),
    ...(single(postgres)
      ? [{ level: 'warning', what: 'postgres', says: `${says} (a standby in DAS_DATABASE_URL removes this)` } as const]
      : []),
  ];
}

async function tokenFinding(file: string): Promise<Finding[]> {
  return access(file).then(
    () => [],
    () => [{ level: 'fault' as const, what: 'token', says: `${file} cannot be read` }],
  );
}
