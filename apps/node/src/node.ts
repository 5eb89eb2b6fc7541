import { messageOf } from '@das/kernel';
import { ConfigError, SystemClock, commonConfig, createLogger, loadConfig } from '@das/platform';
import { inStartOrder, nodeConfig } from './config.js';
import { onParentGone, tell } from './control.js';
import { checkPorts } from './ports.js';
import type { Environment, RunningNode } from './running-node.js';
import { startInProcess } from './single.js';
import { startSplit } from './split.js';

const exitFailed = 1;
const exitUsage = 2;
/** A node that cannot end in good order by then ends anyway (ms). */
const stopWithinMs = 12_000;

/**
 * Runs a node until it is told to end (SIGTERM, SIGINT) or the process that started it is gone. Exit code 0 when told, 1 when it cannot start
 * or meets a defect, 2 for settings that do not fit; the reason is one line on standard error.
 */
export async function runNode(env: Environment): Promise<void> {
  // The supervisor died, perhaps by SIGKILL: its servers are going too, so there is nobody to take leave of.
  onParentGone(() => process.exit(exitFailed));
  let stopping = false;
  const wanted = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ((stopping = true), resolve()));
  });
  try {
    const starting = startNode(env);
    const node = await Promise.race([starting, wanted.then(() => undefined)]);
    if (node) {
      await tell({ kind: 'started', rest: node.rest });
      await wanted;
    }
    await stopWithin(starting);
  } catch (thrown) {
    if (!stopping) await fail(thrown);
  }
  process.exit(0);
}

async function startNode(env: Environment): Promise<RunningNode> {
  const common = loadConfig(commonConfig, env);
  checkPorts(env);
  const { DAS_NODE_PROCESSES, DAS_NODE_SERVICES } = loadConfig(nodeConfig, env);
  const log = createLogger({ node: common.DAS_NODE, service: 'node', level: common.DAS_LOG_LEVEL });
  process.on('uncaughtException', (err) => {
    log.error({ err }, 'a defect; the node ends');
    process.exit(exitFailed);
  });
  const services = inStartOrder(DAS_NODE_SERVICES);
  if (DAS_NODE_PROCESSES === 'single') return startInProcess(services, env);
  return startSplit(services, env, {
    node: common.DAS_NODE,
    home: common.DAS_HOME,
    clock: new SystemClock(),
    note: (message) => log.warn({}, message),
  });
}

/** A signal in the middle of the start lets the start end first: what it started is then closed too. */
async function stopWithin(starting: Promise<RunningNode>): Promise<void> {
  const cancel = new SystemClock().timer(stopWithinMs, () => process.exit(exitFailed));
  await (await starting).stop();
  cancel();
}

async function fail(thrown: unknown): Promise<never> {
  const message = messageOf(thrown).replaceAll('\n', '; ');
  process.stderr.write(`error: ${message}\n`);
  await tell({ kind: 'failed', message });
  process.exit(thrown instanceof ConfigError ? exitUsage : exitFailed);
}
