import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@das/kernel';
import type { ServiceName } from '@das/platform';
import type { Environment, RunningNode } from './running-node.js';
import { ServiceProcess } from './service-process.js';

/** This app again, told by its environment to host one service. */
const program = fileURLToPath(new URL('main.js', import.meta.url));

export interface SplitOptions {
  readonly node: string;
  readonly home: string;
  readonly clock: Clock;
  readonly note: (message: string) => void;
}

/**
 * Starts one process per service, side by side; `<home>/pids/<node>-<service>.pid` tells which is which.
 * @throws Error with the reason the first failing service gave; all others are ended.
 */
export async function startSplit(
  names: readonly ServiceName[],
  env: Environment,
  { node, home, clock, note }: SplitOptions,
): Promise<RunningNode> {
  const services = names.map((name) => {
    const pidFile = join(home, 'pids', `${node}-${name}.pid`);
    return new ServiceProcess({ name, program, env, pidFile, clock, note });
  });
  const stop = async (): Promise<void> => {
    for (const service of [...services].reverse()) await service.stop();
  };
  try {
    await Promise.all(services.map((service) => service.start()));
  } catch (thrown) {
    await Promise.all(services.map((service) => service.stop()));
    throw thrown;
  }
  return { rest: services.find((service) => service.name === 'job-splitter')?.rest, stop };
}
