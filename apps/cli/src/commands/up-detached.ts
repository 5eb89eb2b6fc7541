import { spawn } from 'node:child_process';
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isoOf } from '@das/kernel';
import { openLog, readState } from '@das/supervisor';
import { homeOf, tokenOf } from '../client/endpoint.js';
import type { Context } from '../context.js';
import { ExitError, errorLines, exitCodeOf, exitCodes } from '../errors.js';
import { joinLine, tellRunning } from '../output/running-cluster.js';
import { detachedReadyMs, detachedStart } from './detached-start.js';
import type { UpOptions } from './up.js';

/** The same command again, in a session of its own; resolves when it says that it is ready. */
export async function upDetached(context: Context<UpOptions>): Promise<void> {
  const { world, options } = context;
  const home = homeOf(options, world);
  const logFile = join(home, 'log', 'supervisor.log');
  const log = openLog(logFile);
  const said = fstatSync(log).size;
  // Its standard output would put the token into the log.
  const child = spawn(process.execPath, supervisorArgs(home, options), {
    cwd: world.cwd,
    env: world.env,
    detached: true,
    stdio: ['ignore', 'ignore', log],
  });
  closeSync(log);
  child.unref();
  const outcome = await detachedStart(child, home, context);
  if (outcome === 'interrupted') {
    world.err('stopped; the cluster was not ready yet');
    throw new ExitError(exitCodes.cancelled);
  }
  if (outcome === 'late')
    throw new Error(
      `the cluster was not ready within ${detachedReadyMs / 1000} s, and was stopped: ${reasonIn(logFile, said)}`,
    );
  const state = await readState(home);
  if (outcome === 'exited' || !state) throw new Error(`the cluster did not start: ${reasonIn(logFile, said)}`);
  const natsPort = state.nats?.process && new URL(state.nats.url).port;
  const line = joinLine(options.bind, natsPort, tokenOf(home, {}));
  const nodes = state.nodes.map(({ name, rest }) => ({ name, rest }));
  await tellRunning(context, { home, tokenFile: state.tokenFile, nodes, join: line }, 'ready; `das down` stops it');
}

function supervisorArgs(home: string, options: UpOptions): string[] {
  const given = Object.entries({ '--bind': options.bind, '--port': options.port, '--nats-port': options.natsPort });
  const flags = given.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  const program = fileURLToPath(new URL('../main.js', import.meta.url));
  return [
    program,
    'up',
    '--supervised',
    '--home',
    home,
    '--nodes',
    options.nodes,
    ...flags,
    ...(options.split === true ? ['--split'] : []),
  ];
}

const stamp = /^\S+Z {2}/gm;

/** The whole of the last error in a log, from a byte on, without times. */
function reasonIn(logFile: string, from: number): string {
  const text = readFileSync(logFile).subarray(from).toString().replace(stamp, '').trimEnd();
  const error = text.lastIndexOf('error: ');
  return error < 0 ? `no reason given; see ${logFile}` : text.slice(error + 'error: '.length);
}

/** The command that stays in the background: what it says goes to a log, so each line has its time, the reason of its end too. */
export async function supervised<Options extends UpOptions>(
  context: Context<Options>,
  work: (context: Context<Options>) => Promise<void>,
): Promise<void> {
  const err = (line: string): void => context.world.err(`${isoOf(context.clock.now())}  ${line}`);
  try {
    await work({ ...context, world: { ...context.world, err } });
  } catch (thrown) {
    for (const line of errorLines(thrown, false)) err(line);
    throw new ExitError(exitCodeOf(thrown));
  }
}
