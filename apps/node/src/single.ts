import { ConfigError, type RunningService, type ServiceName, startFailure, startService } from '@das/platform';
import { loadService } from './composition.js';
import type { Environment, RunningNode } from './running-node.js';

/**
 * Starts the services in this process, one after the other.
 * @throws ConfigError, or Error in words, naming the service; those that were started are closed again.
 */
export async function startInProcess(names: readonly ServiceName[], env: Environment): Promise<RunningNode> {
  const running: RunningService[] = [];
  const stop = async (): Promise<void> => {
    for (let service = running.pop(); service; service = running.pop()) await service.close();
  };
  // One health port cannot serve six services: a node's health is that of its front door.
  const own = { ...env, DAS_HEALTH_PORT: undefined };
  for (const name of names) {
    try {
      running.push(await startService(await loadService(name), own));
    } catch (thrown) {
      await stop().catch(() => undefined);
      throw thrown instanceof ConfigError ? thrown : new Error(startFailure(name, thrown), { cause: thrown });
    }
  }
  return { rest: running.find((service) => service.name === 'job-splitter')?.url, stop };
}
